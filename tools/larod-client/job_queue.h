// SPDX-License-Identifier: Apache-2.0
// Jobs of one request that run while their starter does something else.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "larod-client/power_wait.h"
#include "larod-client/tool_error.h"
#include "larod.h"

namespace larod::tools {

using Clock = std::chrono::steady_clock;

// Is told about each job that succeeded.
class JobObserver {
  public:
    virtual ~JobObserver() = default;

    // When the job began, by its starter, and when its end was seen; waiting for power counts. One call at a time, in
    // the order of the ends. Thread: the one that runs the jobs, or for asynchronous ones a thread of the library,
    // whose other jobs this delays: it must be short and not throw.
    virtual void onJobEnd(Clock::time_point begin, Clock::time_point end) noexcept = 0;
};

// Up to `capacity` jobs at a time. Those without power are repeated as power_wait.h says, whenever the starter waits
// here. After a throw no further job is handed over. Thread: one at a time. The request and the connection outlive it.
class JobQueue {
  public:
    // `capacity` > 0. `observer` may be nullptr.
    JobQueue(larodConnection* conn, const larodJobRequest* request, size_t capacity, JobObserver* observer);
    ~JobQueue();  // waits for the jobs that are under way
    JobQueue(const JobQueue&) = delete;
    JobQueue& operator=(const JobQueue&) = delete;

    // Hands a job over that began at `begin`. Where the queue is full, first waits until half of it is left: one
    // wake-up for many jobs, and the device never waits. Throws ToolError where an earlier job failed, or this was not
    // taken.
    void start(Clock::time_point begin);

    // Until that time; may return early. Throws ToolError where a job failed.
    void waitUntil(Clock::time_point time);

    // Until all have ended. Throws ToolError where one failed.
    void drain();

    [[nodiscard]] uint64_t succeeded() const;

  private:
    struct Job {
        JobQueue* queue = nullptr;
        Clock::time_point begin;
    };

    [[nodiscard]] size_t outstanding() const noexcept { return jobs_.size() - idle_.size(); }
    [[nodiscard]] size_t refillBelow() const noexcept { return jobs_.size() / 2; }
    [[nodiscard]] size_t inFlight() const noexcept { return outstanding() - refused_.size(); }
    void throwFailure() const;
    void waitForOutstanding(std::unique_lock<std::mutex>& lock, size_t atMost);
    void handOver(std::unique_lock<std::mutex>& lock, Job& job);
    void repeatRefused(std::unique_lock<std::mutex>& lock);
    void onEnd(Job& job, const larodError* error);

    larodConnection* conn_;
    const larodJobRequest* request_;
    JobObserver* observer_;
    PowerWait power_;  // of the starter

    mutable std::mutex mutex_;  // guards all that follows
    std::condition_variable changed_;
    std::vector<Job> jobs_;
    std::vector<Job*> idle_;
    std::vector<Job*> refused_;  // for want of power, and not yet repeated
    uint64_t succeeded_ = 0;
    uint64_t succeededAtRefusal_ = 0;
    std::optional<ToolError> refusal_;
    std::optional<ToolError> failure_;
};

}  // namespace larod::tools
