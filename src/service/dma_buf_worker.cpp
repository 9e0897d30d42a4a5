// SPDX-License-Identifier: Apache-2.0
#include "service/dma_buf_worker.h"

#include <new>
#include <utility>

namespace larod::service {

DmaBufWorker::DmaBufWorker(buffer::DmaBufAllocator allocator) : allocator_(std::move(allocator)) {}

DmaBufWorker::~DmaBufWorker() {
    {
        const std::lock_guard lock(mutex_);
        stopped_ = true;
    }
    changed_.notify_one();
    if (thread_.joinable()) {
        thread_.join();
    }
}

void DmaBufWorker::start(Request request) {
    {
        const std::lock_guard lock(mutex_);
        requests_.push_back(std::move(request));
    }
    if (!thread_.joinable()) {
        thread_ = std::thread([this] { work(); });
    }
    changed_.notify_one();
}

void DmaBufWorker::work() {
    std::unique_lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, [this] { return stopped_ || !requests_.empty(); });
        if (stopped_) {
            return;
        }
        Request request = std::move(requests_.front());
        requests_.pop_front();
        lock.unlock();
        results_.put(make(std::move(request)));
        lock.lock();
    }
}

DmaBufWorker::Result DmaBufWorker::make(Request request) const {
    Result result{std::move(request), {}, {}};
    try {
        for (const uint64_t size : result.request.sizes) {
            result.fds.push_back(allocator_.allocate(size));
        }
    } catch (const Error& error) {
        result.fds.clear();
        result.error = error;
    } catch (const std::bad_alloc&) {
        result.fds.clear();
        result.error = Error(LAROD_ERROR_ALLOC, "the service has no memory left for this request");
    }
    return result;
}

}  // namespace larod::service
