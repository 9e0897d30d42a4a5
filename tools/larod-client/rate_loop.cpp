// SPDX-License-Identifier: Apache-2.0
// Runs one request again and again at a rate, as a camera delivers images.
#include "larod-client/rate_loop.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "larod-client/power_wait.h"
#include "larod-client/stop_signal.h"
#include "larod-client/tool_error.h"

namespace larod::tools {

namespace {

// A signal is noticed as fast while nothing is due.
constexpr std::chrono::milliseconds kStopLatency{50};

// The jobs that were due. Callbacks, on the library's thread, and the thread that hands jobs over share it under
// `mutex_`. The destructor is safe once no job is in flight.
class DueJobs {
  public:
    DueJobs(larodConnection* conn, const larodJobRequest* request, JobObserver* observer)
        : conn_(conn), request_(request), observer_(observer) {
        for (DueJob& job : jobs_) {
            job.all = this;
            idle_.push_back(&job);
        }
    }

    uint64_t run(uint64_t rounds, double jobsPerSecond) {
        const std::chrono::duration<double> interval(1 / jobsPerSecond);
        const auto begin = Clock::now();
        std::unique_lock lock(mutex_);
        for (uint64_t number = 0; !failure_ && (rounds == 0 || number < rounds); ++number) {
            const auto due =
                begin + std::chrono::duration_cast<Clock::duration>(interval * static_cast<double>(number));
            if (!waitUntilDue(lock, due) && number > 0) {
                break;
            }
            handOver(lock, due);
        }
        drain(lock);
        if (failure_) {
            throw *failure_;
        }
        return succeeded_;
    }

  private:
    struct DueJob {
        DueJobs* all = nullptr;
        Clock::time_point due;
    };

    // False: somebody wants to stop, or a job failed.
    bool waitUntilDue(std::unique_lock<std::mutex>& lock, Clock::time_point due) {
        while (!stopRequested() && !failure_) {
            repeatRefused(lock);
            const auto now = Clock::now();
            if (now >= due) {
                return true;
            }
            changed_.wait_until(lock, std::min(due, now + kStopLatency));
        }
        return false;
    }

    void handOver(std::unique_lock<std::mutex>& lock, Clock::time_point due) {
        while (idle_.empty() && !failure_) {
            repeatRefused(lock);
            if (idle_.empty() && refused_.empty()) {
                changed_.wait(lock);
            }
        }
        if (failure_) {
            return;
        }
        DueJob* job = idle_.back();
        idle_.pop_back();
        job->due = due;
        start(lock, *job);
    }

    void start(std::unique_lock<std::mutex>& lock, DueJob& job) {
        ++inFlight_;
        lock.unlock();
        LarodError error;
        const bool accepted = larodRunJobAsync(
            conn_, request_,
            [](void* userData, larodError* jobError) {
                auto* ended = static_cast<DueJob*>(userData);
                ended->all->onEnd(*ended, jobError);
            },
            &job, error.out());
        lock.lock();
        if (!accepted) {
            --inFlight_;
            failure_ = error.toolError("Could not queue the job");
        }
    }

    // Hands the jobs over again that had no power, after a while.
    void repeatRefused(std::unique_lock<std::mutex>& lock) {
        if (refused_.empty()) {
            return;
        }
        if (succeeded_ > succeededAtRefusal_) {
            power_.granted();
        }
        succeededAtRefusal_ = succeeded_;
        const std::vector<DueJob*> again = std::move(refused_);
        refused_.clear();
        lock.unlock();
        const bool mayRepeat = power_.again();
        lock.lock();
        if (!mayRepeat) {
            failure_ = refusal_;
        }
        for (DueJob* job : again) {
            if (failure_) {
                return;
            }
            start(lock, *job);
        }
    }

    void drain(std::unique_lock<std::mutex>& lock) {
        while (inFlight_ > 0 || (!refused_.empty() && !failure_)) {
            if (!failure_) {
                repeatRefused(lock);
            }
            if (inFlight_ > 0 && (refused_.empty() || failure_)) {
                changed_.wait(lock);
            }
        }
    }

    void onEnd(DueJob& job, const larodError* error) {
        const std::lock_guard lock(mutex_);
        --inFlight_;
        const auto failed = [&] { return ToolError(error->code, std::string("Could not run the job: ") + error->msg); };
        if (error != nullptr && error->code == LAROD_ERROR_POWER_NOT_AVAILABLE) {
            refusal_.emplace(failed());
            refused_.push_back(&job);
        } else {
            if (error == nullptr) {
                ++succeeded_;
                if (observer_ != nullptr) {
                    observer_->onJobEnd(job.due, Clock::now());
                }
            } else if (!failure_) {
                failure_.emplace(failed());
            }
            idle_.push_back(&job);
        }
        // Under the lock: the object may be gone as soon as the waiting thread sees the last job end.
        changed_.notify_one();
    }

    larodConnection* conn_;
    const larodJobRequest* request_;
    JobObserver* observer_;
    PowerWait power_;  // of the thread that hands jobs over

    std::mutex mutex_;  // guards all that follows
    std::condition_variable changed_;
    std::array<DueJob, kMaxLateJobs> jobs_;
    std::vector<DueJob*> idle_;
    std::vector<DueJob*> refused_;  // for want of power, and not yet repeated
    int inFlight_ = 0;
    uint64_t succeeded_ = 0;
    uint64_t succeededAtRefusal_ = 0;
    std::optional<ToolError> refusal_;
    std::optional<ToolError> failure_;
};

}  // namespace

RoundsResult runJobsAtRate(larodConnection* conn, const larodJobRequest* request, uint64_t rounds, double jobsPerSecond,
                           JobObserver* observer) {
    DueJobs jobs(conn, request, observer);
    const auto begin = Clock::now();
    const uint64_t done = jobs.run(rounds, jobsPerSecond);
    return {done, Clock::now() - begin};
}

}  // namespace larod::tools
