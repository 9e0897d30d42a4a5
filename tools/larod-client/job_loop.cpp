// SPDX-License-Identifier: Apache-2.0
// Runs one request again and again and measures how long that takes.
#include "larod-client/job_loop.h"

#include <array>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "larod-client/power_wait.h"
#include "larod-client/stop_signal.h"
#include "larod-client/tool_error.h"

namespace larod::tools {

namespace {

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

// Jobs that are under way, and how the others ended. Callbacks, on the library's thread, and the thread that starts
// jobs share it under `mutex_`. The destructor is safe once no job is in flight.
class JobsInFlight {
  public:
    JobsInFlight(larodConnection* conn, const larodJobRequest* request, JobObserver* observer)
        : conn_(conn), request_(request), observer_(observer) {
        for (Job& job : jobs_) {
            job.all = this;
            idle_.push_back(&job);
        }
    }

    uint64_t run(uint64_t rounds) {
        uint64_t started = 0;
        PowerWait power;
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
            if (failure_) {
                throw *failure_;
            }
            if (succeeded_ > succeededAtRefusal_) {
                power.granted();
            }
            succeededAtRefusal_ = succeeded_;
            started -= std::exchange(refused_, 0);
            const ToolError refusal = *refusal_;
            lock.unlock();
            if (!power.again()) {
                throw refusal;
            }
            lock.lock();
        }
    }

  private:
    // Half of the queue is left when it is filled again: one wake-up for many jobs, and the device never waits.
    static constexpr int kRefillBelow = kMaxJobsInFlight / 2;

    struct Job {
        JobsInFlight* all = nullptr;
        Clock::time_point begin;
    };

    void start(std::unique_lock<std::mutex>& lock) {
        if (inFlight_ == kMaxJobsInFlight) {
            roomMade_.wait(lock, [this] { return inFlight_ <= kRefillBelow; });
        }
        Job* job = idle_.back();
        idle_.pop_back();
        ++inFlight_;
        job->begin = Clock::now();
        lock.unlock();
        LarodError error;
        const bool accepted = larodRunJobAsync(
            conn_, request_,
            [](void* userData, larodError* jobError) {
                auto* ended = static_cast<Job*>(userData);
                ended->all->onEnd(*ended, jobError);
            },
            job, error.out());
        lock.lock();
        if (!accepted) {
            --inFlight_;
            failure_ = error.toolError("Could not queue the job");
        }
    }

    void onEnd(Job& job, const larodError* error) {
        const std::lock_guard lock(mutex_);
        if (error == nullptr) {
            ++succeeded_;
            if (observer_ != nullptr) {
                observer_->onJobEnd(job.begin, Clock::now());
            }
        } else if (error->code == LAROD_ERROR_POWER_NOT_AVAILABLE) {
            ++refused_;
            refusal_.emplace(error->code, std::string("Could not run the job: ") + error->msg);
        } else if (!failure_) {
            failure_.emplace(error->code, std::string("Could not run the job: ") + error->msg);
        }
        idle_.push_back(&job);
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
    JobObserver* observer_;

    std::mutex mutex_;  // guards all that follows
    std::array<Job, kMaxJobsInFlight> jobs_;
    std::vector<Job*> idle_;
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
    JobsInFlight jobs(conn, request, observer);
    const auto begin = Clock::now();
    const uint64_t done = jobs.run(rounds);
    return {done, Clock::now() - begin};
}

}  // namespace larod::tools
