// SPDX-License-Identifier: Apache-2.0
// Jobs of one request that run while their starter does something else.
#include "larod-client/job_queue.h"

#include <string>
#include <utility>

namespace larod::tools {

JobQueue::JobQueue(larodConnection* conn, const larodJobRequest* request, size_t capacity, JobObserver* observer)
    : conn_(conn), request_(request), observer_(observer), jobs_(capacity) {
    for (Job& job : jobs_) {
        job.queue = this;
        idle_.push_back(&job);
    }
    refused_.reserve(capacity);
}

JobQueue::~JobQueue() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return inFlight() == 0; });
}

void JobQueue::start(Clock::time_point begin) {
    std::unique_lock lock(mutex_);
    if (idle_.empty()) {
        waitForOutstanding(lock, refillBelow());
    }
    throwFailure();
    Job* job = idle_.back();
    idle_.pop_back();
    job->begin = begin;
    handOver(lock, *job);
    throwFailure();
}

void JobQueue::waitUntil(Clock::time_point time) {
    std::unique_lock lock(mutex_);
    repeatRefused(lock);
    changed_.wait_until(lock, time, [this] { return failure_.has_value() || !refused_.empty(); });
    throwFailure();
}

void JobQueue::drain() {
    std::unique_lock lock(mutex_);
    waitForOutstanding(lock, 0);
    throwFailure();
}

uint64_t JobQueue::succeeded() const {
    const std::lock_guard lock(mutex_);
    return succeeded_;
}

void JobQueue::throwFailure() const {
    if (failure_) {
        throw *failure_;
    }
}

// Or until a job fails.
void JobQueue::waitForOutstanding(std::unique_lock<std::mutex>& lock, size_t atMost) {
    while (!failure_ && outstanding() > atMost) {
        if (!refused_.empty()) {
            repeatRefused(lock);
        } else {
            changed_.wait(lock);
        }
    }
}

void JobQueue::handOver(std::unique_lock<std::mutex>& lock, Job& job) {
    lock.unlock();
    LarodError error;
    const bool accepted = larodRunJobAsync(
        conn_, request_,
        [](void* userData, larodError* jobError) {
            auto* ended = static_cast<Job*>(userData);
            ended->queue->onEnd(*ended, jobError);
        },
        &job, error.out());
    lock.lock();
    if (!accepted) {
        idle_.push_back(&job);
        failure_ = error.toolError("Could not queue the job");
    }
}

void JobQueue::repeatRefused(std::unique_lock<std::mutex>& lock) {
    if (refused_.empty() || failure_) {
        return;
    }
    if (succeeded_ > succeededAtRefusal_) {
        power_.granted();
    }
    succeededAtRefusal_ = succeeded_;
    lock.unlock();
    const bool mayRepeat = power_.again();
    lock.lock();
    if (!mayRepeat) {
        failure_ = refusal_;
    }
    // Those that are refused meanwhile wait for the next time.
    for (size_t left = refused_.size(); left > 0 && !failure_; --left) {
        Job* job = refused_.front();
        refused_.erase(refused_.begin());
        handOver(lock, *job);
    }
}

void JobQueue::onEnd(Job& job, const larodError* error) {
    const std::lock_guard lock(mutex_);
    if (error != nullptr && error->code == LAROD_ERROR_POWER_NOT_AVAILABLE) {
        refused_.push_back(&job);
    } else {
        idle_.push_back(&job);
    }
    if (error == nullptr) {
        ++succeeded_;
        if (observer_ != nullptr) {
            observer_->onJobEnd(job.begin, Clock::now());
        }
    } else if (auto& reason = error->code == LAROD_ERROR_POWER_NOT_AVAILABLE ? refusal_ : failure_; !reason) {
        // The first one: those behind it may fail because of it.
        reason.emplace(error->code, std::string("Could not run the job: ") + error->msg);
    }
    // Under the lock: the object may be gone as soon as its destructor sees the last job end.
    if (error != nullptr || outstanding() == refillBelow() || inFlight() == 0) {
        changed_.notify_one();
    }
}

}  // namespace larod::tools
