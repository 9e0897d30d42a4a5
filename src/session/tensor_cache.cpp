// SPDX-License-Identifier: Apache-2.0
#include "session/tensor_cache.h"

#include <fcntl.h>

#include <algorithm>
#include <chrono>

#include "base/monotonic_time.h"

namespace larod::session {

std::shared_ptr<Tensor> TensorCache::get(UniqueFd fd, const wire::FdAttributes& attributes) {
    const Key key{buffer::fileIdentity(fd.get()), ::fcntl(fd.get(), F_GETFL), attributes.size, attributes.offset,
                  attributes.props};
    Entries dropped;  // destroyed without the lock: that unmaps
    {
        const std::lock_guard lock(mutex_);
        const auto it = std::ranges::find(entries_, key, &Entry::key);
        if (it != entries_.end() && !it->tensor->copies()) {
            it->usedNs = monotonicNs();
            return it->tensor;
        }
        if (it != entries_.end()) {
            bytes_ -= it->lengthBytes;
            dropped.push_back(std::move(*it));
            entries_.erase(it);
        }
    }
    auto tensor = std::make_shared<Tensor>(std::move(fd), attributes);
    const uint64_t length = buffer::fileStatus(tensor->fd()).length;
    if ((attributes.props & LAROD_FD_TYPE_DMA) != 0 && length <= limits_.bytes) {
        const std::lock_guard lock(mutex_);
        keep(key, tensor, length, dropped);
    }
    return tensor;
}

void TensorCache::keep(const Key& key, const std::shared_ptr<Tensor>& tensor, uint64_t lengthBytes, Entries& dropped) {
    if (stopped_) {
        return;
    }
    while (!entries_.empty() && (entries_.size() >= limits_.entries || bytes_ + lengthBytes > limits_.bytes)) {
        const auto oldest = std::ranges::min_element(entries_, {}, &Entry::usedNs);
        bytes_ -= oldest->lengthBytes;
        dropped.push_back(std::move(*oldest));
        entries_.erase(oldest);
    }
    entries_.push_back({key, tensor, lengthBytes, monotonicNs()});
    bytes_ += lengthBytes;
    if (!dropping_) {
        dropping_ = true;
        pool_.run([this] { dropIdle(); });
    }
}

void TensorCache::dropIdle() {
    std::unique_lock lock(mutex_);
    while (!stopped_ && !entries_.empty()) {
        changed_.wait_for(lock, std::chrono::nanoseconds(limits_.idleNs), [this] { return stopped_; });
        const uint64_t now = monotonicNs();
        Entries idle;
        std::erase_if(entries_, [&](Entry& entry) {
            // Where a job has it, the time counts from the job's end, roughly.
            if (entry.usedNs + limits_.idleNs > now || entry.tensor.use_count() > 1) {
                return false;
            }
            bytes_ -= entry.lengthBytes;
            idle.push_back(std::move(entry));
            return true;
        });
        lock.unlock();
        idle.clear();
        lock.lock();
    }
    dropping_ = false;
}

std::vector<std::shared_ptr<Tensor>> TensorCache::all() {
    std::vector<std::shared_ptr<Tensor>> tensors;
    const std::lock_guard lock(mutex_);
    for (const Entry& entry : entries_) {
        tensors.push_back(entry.tensor);
    }
    return tensors;
}

void TensorCache::stop() {
    Entries dropped;
    {
        const std::lock_guard lock(mutex_);
        stopped_ = true;
        dropped.swap(entries_);
        bytes_ = 0;
    }
    changed_.notify_all();
}

}  // namespace larod::session
