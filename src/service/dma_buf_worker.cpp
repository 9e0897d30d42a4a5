// SPDX-License-Identifier: Apache-2.0
#include "service/dma_buf_worker.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

namespace larod::service {

DmaBufWorker::DmaBufWorker(buffer::DmaBufAllocator allocator)
    : allocator_(std::move(allocator)), ready_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE)) {
    if (!ready_) {
        throw Error(LAROD_ERROR_CONNECTION, "can't make an event descriptor: {}", errnoText(errno));
    }
}

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

std::optional<DmaBufWorker::Result> DmaBufWorker::take() {
    uint64_t one = 0;
    if (::read(ready_.get(), &one, sizeof(one)) != static_cast<ssize_t>(sizeof(one))) {
        return std::nullopt;
    }
    const std::lock_guard lock(mutex_);
    Result result = std::move(results_.front());
    results_.pop_front();
    return result;
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
        Result result = make(std::move(request));
        lock.lock();
        results_.push_back(std::move(result));
        const uint64_t one = 1;
        [[maybe_unused]] const ssize_t written = ::write(ready_.get(), &one, sizeof(one));
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
