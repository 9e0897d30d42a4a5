// SPDX-License-Identifier: Apache-2.0
// Runs one request again and again and measures how long that takes.
#include "larod-client/job_loop.h"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "larod-client/stop_signal.h"
#include "larod-client/tool_error.h"

namespace larod::tools {

namespace {

using Clock = std::chrono::steady_clock;

bool wantsMore(uint64_t rounds, uint64_t started) {
    return rounds == 0 ? started == 0 || !stopRequested() : started < rounds;
}

// Repeats a job that has just been refused for want of power.
void repeatJob(larodConnection* conn, const larodJobRequest* request, LarodError& error) {
    for (int retry = 0; error.code() == LAROD_ERROR_POWER_NOT_AVAILABLE && retry < kMaxPowerRetries; ++retry) {
        std::this_thread::sleep_for(kPowerRetryInterval);
        if (larodRunJob(conn, request, error.out())) {
            return;
        }
    }
    throw error.toolError("Could not run the job");
}

// Jobs that are under way, and how the others ended. Callbacks, on the library's thread, and the thread that starts
// jobs share it under `mutex_`. The destructor is safe once no job is in flight.
class JobsInFlight {
  public:
    JobsInFlight(larodConnection* conn, const larodJobRequest* request) : conn_(conn), request_(request) {}

    uint64_t run(uint64_t rounds) {
        uint64_t started = 0;
        int powerRetries = 0;
        std::unique_lock lock(mutex_);
        while (true) {
            if (!failure_ && refused_ == 0 && wantsMore(rounds, started)) {
                start(lock);
                ++started;
                continue;
            }
            drained_.wait(lock, [this] { return inFlight_ == 0; });
            if (!failure_ && refused_ == 0) {
                if (!wantsMore(rounds, started)) {
                    return succeeded_;
                }
                continue;
            }
            if (!failure_ && succeeded_ > succeededAtRefusal_) {
                powerRetries = 0;
            }
            if (!failure_ && ++powerRetries > kMaxPowerRetries) {
                failure_ = refusal_;
            }
            if (failure_) {
                throw *failure_;
            }
            succeededAtRefusal_ = succeeded_;
            started -= std::exchange(refused_, 0);
            lock.unlock();
            std::this_thread::sleep_for(kPowerRetryInterval);
            lock.lock();
        }
    }

  private:
    // Half of the queue is left when it is filled again: one wake-up for many jobs, and the device never waits.
    static constexpr int kRefillBelow = kMaxJobsInFlight / 2;

    void start(std::unique_lock<std::mutex>& lock) {
        if (inFlight_ == kMaxJobsInFlight) {
            roomMade_.wait(lock, [this] { return inFlight_ <= kRefillBelow; });
        }
        ++inFlight_;
        lock.unlock();
        LarodError error;
        const bool accepted = larodRunJobAsync(
            conn_, request_,
            [](void* userData, larodError* jobError) { static_cast<JobsInFlight*>(userData)->onEnd(jobError); }, this,
            error.out());
        lock.lock();
        if (!accepted) {
            --inFlight_;
            failure_ = error.toolError("Could not queue the job");
        }
    }

    void onEnd(const larodError* error) {
        const std::lock_guard lock(mutex_);
        if (error == nullptr) {
            ++succeeded_;
        } else if (error->code == LAROD_ERROR_POWER_NOT_AVAILABLE) {
            ++refused_;
            refusal_.emplace(error->code, std::string("Could not run the job: ") + error->msg);
        } else if (!failure_) {
            failure_.emplace(error->code, std::string("Could not run the job: ") + error->msg);
        }
        --inFlight_;
        // Under the lock: the object may be gone as soon as the waiting thread sees the last job end.
        if (inFlight_ == kRefillBelow) {
            roomMade_.notify_one();
        } else if (inFlight_ == 0) {
            drained_.notify_one();
        }
    }

    larodConnection* conn_;
    const larodJobRequest* request_;

    std::mutex mutex_;  // guards all that follows
    std::condition_variable roomMade_;
    std::condition_variable drained_;
    int inFlight_ = 0;
    uint64_t succeeded_ = 0;
    uint64_t succeededAtRefusal_ = 0;
    uint64_t refused_ = 0;  // for want of power, and not yet repeated
    std::optional<ToolError> refusal_;
    std::optional<ToolError> failure_;
};

}  // namespace

RoundsResult runJobs(larodConnection* conn, const larodJobRequest* request, uint64_t rounds) {
    LarodError error;
    uint64_t done = 0;
    larodError** const jobError = error.out();
    const auto begin = Clock::now();
    for (; wantsMore(rounds, done); ++done) {
        if (!larodRunJob(conn, request, jobError)) {
            repeatJob(conn, request, error);
        }
    }
    return {done, Clock::now() - begin};
}

RoundsResult runJobsAsync(larodConnection* conn, const larodJobRequest* request, uint64_t rounds) {
    JobsInFlight jobs(conn, request);
    const auto begin = Clock::now();
    const uint64_t done = jobs.run(rounds);
    return {done, Clock::now() - begin};
}

}  // namespace larod::tools
