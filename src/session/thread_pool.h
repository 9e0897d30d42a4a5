// SPDX-License-Identifier: Apache-2.0
// The threads of a session. There is one until something takes long; then as many as there are things at once: one
// reads, one a busy device, one for loading.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace larod::session {

class ThreadPool {
  public:
    ThreadPool() = default;
    ~ThreadPool();  // stop() was called and work() has returned
    ThreadPool(const ThreadPool&) = delete;
    ThreadPool& operator=(const ThreadPool&) = delete;

    // Gives the task to an idle thread, or to a new one. Never waits. Tasks catch their own errors. Any thread.
    void run(std::function<void()> task);

    // The calling thread runs tasks, too, until stop(); then waits for the other threads' tasks to end.
    void work();

    // No task starts any more. Any thread, also from a task.
    void stop();

  private:
    void loop();

    std::mutex mutex_;  // guards what follows
    std::condition_variable changed_;
    std::deque<std::function<void()>> tasks_;
    std::vector<std::thread> threads_;
    size_t idle_ = 0;
    bool stopped_ = false;
};

}  // namespace larod::session
