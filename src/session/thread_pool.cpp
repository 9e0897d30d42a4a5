// SPDX-License-Identifier: Apache-2.0
#include "session/thread_pool.h"

#include <utility>

namespace larod::session {

ThreadPool::~ThreadPool() {
    for (std::thread& thread : threads_) {
        thread.join();
    }
}

void ThreadPool::run(std::function<void()> task) {
    const std::lock_guard lock(mutex_);
    if (stopped_) {
        return;
    }
    tasks_.push_back(std::move(task));
    if (idle_ >= tasks_.size()) {
        changed_.notify_one();
    } else {
        threads_.emplace_back([this] { loop(); });
    }
}

void ThreadPool::work() {
    loop();
    std::vector<std::thread> threads;
    {
        const std::lock_guard lock(mutex_);
        threads.swap(threads_);
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
}

void ThreadPool::stop() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    tasks_.clear();
    changed_.notify_all();
}

void ThreadPool::loop() {
    std::unique_lock lock(mutex_);
    while (!stopped_) {
        if (tasks_.empty()) {
            ++idle_;
            changed_.wait(lock, [this] { return stopped_ || !tasks_.empty(); });
            --idle_;
            continue;
        }
        const std::function<void()> task = std::move(tasks_.front());
        tasks_.pop_front();
        lock.unlock();
        task();
        lock.lock();
    }
}

}  // namespace larod::session
