// SPDX-License-Identifier: Apache-2.0
#include "device/proc/band_threads.h"

#include <utility>

namespace larod::device::proc {

BandThreads::BandThreads(size_t threads, size_t bands, Work work)
    : bands_(bands), work_(std::move(work)), next_(bands) {
    threads_.reserve(threads - 1);
    try {
        for (size_t thread = 1; thread < threads; ++thread) {
            threads_.emplace_back([this, thread] { loop(thread); });
        }
    } catch (...) {
        stop();
        throw;
    }
}

BandThreads::~BandThreads() {
    stop();
}

void BandThreads::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopped_ = true;
    }
    begun_.notify_all();
    for (std::thread& thread : threads_) {
        thread.join();
    }
}

void BandThreads::run() {
    {
        const std::lock_guard lock(mutex_);
        next_.store(0, std::memory_order_relaxed);
    }
    if (!threads_.empty()) {
        begun_.notify_all();
    }
    takeBands(0);
    std::unique_lock lock(mutex_);
    done_.wait(lock, [this] { return busy_ == 0; });
    if (fault_ != nullptr) {
        std::rethrow_exception(std::exchange(fault_, nullptr));
    }
}

void BandThreads::loop(size_t thread) {
    std::unique_lock lock(mutex_);
    for (;;) {
        begun_.wait(lock, [this] { return stopped_ || next_.load(std::memory_order_relaxed) < bands_; });
        if (stopped_) {
            return;
        }
        ++busy_;
        lock.unlock();
        takeBands(thread);
        lock.lock();
        if (--busy_ == 0) {
            done_.notify_one();
        }
    }
}

// The locks around say what a thread sees: the job before, and its results after.
void BandThreads::takeBands(size_t thread) {
    try {
        for (;;) {
            const size_t band = next_.fetch_add(1, std::memory_order_relaxed);
            if (band >= bands_) {
                return;
            }
            work_(thread, band);
        }
    } catch (...) {
        next_.store(bands_, std::memory_order_relaxed);
        const std::lock_guard lock(mutex_);
        fault_ = std::current_exception();
    }
}

}  // namespace larod::device::proc
