// SPDX-License-Identifier: Apache-2.0
// The threads that share the bands of an image.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace larod::device::proc {

// The caller of run() is one of them; the others live as long as this object, and sleep between the runs. Who is ready
// takes the next band, so that a run never waits for a thread that the kernel wakes late: there is nothing left for it
// then.
//
// Thread: one call at a time, from any thread.
class BandThreads {
  public:
    // Does one band; thread 0 is the caller.
    using Work = std::function<void(size_t thread, size_t band)>;

    // `threads` >= 1, `bands` >= 1.
    BandThreads(size_t threads, size_t bands, Work work);
    ~BandThreads();
    BandThreads(const BandThreads&) = delete;
    BandThreads& operator=(const BandThreads&) = delete;

    // Returns when every band is done. Allocates nothing. Throws what the work of one of them threw; bands that were
    // not begun then are left out.
    void run();

  private:
    void stop();
    void loop(size_t thread);
    void takeBands(size_t thread);

    const size_t bands_;
    const Work work_;
    std::atomic<size_t> next_;  // the first band that nobody has taken
    std::mutex mutex_;          // guards what follows
    std::condition_variable begun_;
    std::condition_variable done_;
    size_t busy_ = 0;  // of the other threads
    bool stopped_ = false;
    std::exception_ptr fault_;
    std::vector<std::thread> threads_;  // last: they use everything above
};

}  // namespace larod::device::proc
