// SPDX-License-Identifier: Apache-2.0
#include "session/tracked_tensors.h"

#include "base/error.h"

namespace larod::session {

uint64_t TrackedTensors::add(std::vector<TrackedTensor> tensors) {
    const std::lock_guard lock(mutex_);
    if (tracked_.size() + tensors.size() > wire::kMaxTrackedTensors) {
        throw Error(LAROD_ERROR_ALLOC,
                    "{} tensors are tracked, {} more exceed the limit of {} a connection; destroy some first",
                    tracked_.size(), tensors.size(), wire::kMaxTrackedTensors);
    }
    const uint64_t firstId = lastId_ + 1;
    for (TrackedTensor& tensor : tensors) {
        tracked_.emplace(++lastId_, std::move(tensor));
    }
    showCounts();
    return firstId;
}

std::shared_ptr<Tensor> TrackedTensors::find(uint64_t id) {
    const std::lock_guard lock(mutex_);
    const auto it = tracked_.find(id);
    return it == tracked_.end() ? nullptr : it->second.tensor;
}

std::vector<TrackedTensor> TrackedTensors::take(std::span<const uint64_t> ids) {
    std::vector<TrackedTensor> taken;
    const std::lock_guard lock(mutex_);
    for (const uint64_t id : ids) {
        const auto it = tracked_.find(id);
        if (it != tracked_.end()) {
            taken.push_back(std::move(it->second));
            tracked_.erase(it);
        }
    }
    showCounts();
    return taken;
}

std::vector<std::shared_ptr<Tensor>> TrackedTensors::all() {
    std::vector<std::shared_ptr<Tensor>> tensors;
    const std::lock_guard lock(mutex_);
    for (const auto& [id, tracked] : tracked_) {
        tensors.push_back(tracked.tensor);
    }
    return tensors;
}

void TrackedTensors::showCounts() noexcept {
    uint64_t bytes = 0;
    for (const auto& [id, tracked] : tracked_) {
        bytes += tracked.tensor->sizeBytes();
    }
    page_.trackedTensors.store(tracked_.size(), std::memory_order_relaxed);
    page_.trackedBytes.store(bytes, std::memory_order_relaxed);
}

}  // namespace larod::session
