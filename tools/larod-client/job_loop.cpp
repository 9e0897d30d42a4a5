// SPDX-License-Identifier: Apache-2.0
// Runs one request again and again and measures how long that takes.
#include "larod-client/job_loop.h"

#include <algorithm>

#include "larod-client/power_wait.h"
#include "larod-client/stop_signal.h"
#include "larod-client/tool_error.h"

namespace larod::tools {

namespace {

// A signal is noticed as fast while no job is due.
constexpr std::chrono::milliseconds kStopLatency{50};

bool wantsMore(uint64_t rounds, uint64_t started) {
    return started == 0 || (!stopRequested() && (rounds == 0 || started < rounds));
}

void runJob(larodConnection* conn, const larodJobRequest* request, LarodError& error) {
    PowerWait power;
    while (!larodRunJob(conn, request, error.out())) {
        if (error.code() != LAROD_ERROR_POWER_NOT_AVAILABLE || !power.again()) {
            throw error.toolError("Could not run the job");
        }
    }
}

}  // namespace

RoundsResult runJobs(larodConnection* conn, const larodJobRequest* request, uint64_t rounds, JobObserver* observer) {
    LarodError error;
    uint64_t done = 0;
    const auto begin = Clock::now();
    auto last = begin;
    for (; wantsMore(rounds, done); ++done) {
        runJob(conn, request, error);
        if (observer != nullptr) {
            const auto end = Clock::now();
            observer->onJobEnd(last, end);
            last = Clock::now();
        }
    }
    return {done, Clock::now() - begin};
}

RoundsResult runJobsAsync(larodConnection* conn, const larodJobRequest* request, uint64_t rounds,
                          JobObserver* observer) {
    JobQueue queue(conn, request, kMaxJobsInFlight, observer);
    const auto begin = Clock::now();
    for (uint64_t started = 0; wantsMore(rounds, started); ++started) {
        queue.start(Clock::now());
    }
    queue.drain();
    return {queue.succeeded(), Clock::now() - begin};
}

RoundsResult runJobsAtRate(larodConnection* conn, const larodJobRequest* request, uint64_t rounds, double jobsPerSecond,
                           JobObserver* observer) {
    JobQueue queue(conn, request, kMaxLateJobs, observer);
    const std::chrono::duration<double> interval(1 / jobsPerSecond);
    const auto begin = Clock::now();
    for (uint64_t started = 0; wantsMore(rounds, started);) {
        const auto due = begin + std::chrono::duration_cast<Clock::duration>(interval * static_cast<double>(started));
        const auto now = Clock::now();
        if (now < due) {
            queue.waitUntil(std::min(due, now + kStopLatency));
            continue;
        }
        queue.start(due);
        ++started;
    }
    queue.drain();
    return {queue.succeeded(), Clock::now() - begin};
}

}  // namespace larod::tools
