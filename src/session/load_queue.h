// SPDX-License-Identifier: Apache-2.0
// What takes as long as loading a model, beside reading and jobs: one at a time, in the order of the requests.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>

#include "session/replies.h"
#include "session/thread_pool.h"

namespace larod::session {

inline constexpr size_t kMaxQueuedLoads = 8192;

// Thread: any.
class LoadQueue {
  public:
    // Both outlive the queue; `pool` may be made after it.
    LoadQueue(ThreadPool& pool, Replies& replies) noexcept : pool_(pool), replies_(replies) {}
    LoadQueue(const LoadQueue&) = delete;
    LoadQueue& operator=(const LoadQueue&) = delete;

    // Has `load` called by another thread; the request fails with what it throws. Throws Error(LAROD_ERROR_LOAD_MODEL)
    // where too many wait.
    void push(uint64_t requestId, std::function<void()> load);

    // Whether one is running or waits.
    [[nodiscard]] bool busy() const noexcept { return busy_.load(std::memory_order_acquire); }

    // No further one starts.
    void stop() noexcept { stopped_.store(true, std::memory_order_relaxed); }

  private:
    struct Load {
        uint64_t requestId;
        std::function<void()> run;
    };

    void runAll();

    ThreadPool& pool_;
    Replies& replies_;
    std::atomic<bool> stopped_{false};
    std::atomic<bool> busy_{false};  // changed under mutex_

    std::mutex mutex_;  // guards loads_
    std::deque<Load> loads_;
};

}  // namespace larod::session
