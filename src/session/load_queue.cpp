// SPDX-License-Identifier: Apache-2.0
#include "session/load_queue.h"

#include <new>
#include <utility>

#include "base/error.h"

namespace larod::session {

void LoadQueue::push(uint64_t requestId, std::function<void()> load) {
    const std::lock_guard lock(mutex_);
    if (loads_.size() >= kMaxQueuedLoads) {
        throw Error(LAROD_ERROR_LOAD_MODEL, "more than {} models of one connection wait to be loaded", kMaxQueuedLoads);
    }
    loads_.push_back({requestId, std::move(load)});
    if (!busy_.exchange(true)) {
        pool_.run([this] { runAll(); });
    }
}

void LoadQueue::runAll() {
    while (!stopped_.load(std::memory_order_relaxed)) {
        Load load;
        {
            const std::lock_guard lock(mutex_);
            if (loads_.empty()) {
                busy_.store(false, std::memory_order_release);
                return;
            }
            load = std::move(loads_.front());
            loads_.pop_front();
        }
        try {
            load.run();
        } catch (const Error& error) {
            replies_.failure(load.requestId, error);
        } catch (const std::bad_alloc&) {
            replies_.noMemory(load.requestId);
        }
    }
}

}  // namespace larod::session
