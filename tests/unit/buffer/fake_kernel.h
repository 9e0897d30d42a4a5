// SPDX-License-Identifier: Apache-2.0
// What the kernel answers about dma-bufs, from a test: few machines can make one.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <vector>

namespace larod::buffer::test {

struct SyncCall {
    int fd;
    uint64_t flags;
    friend bool operator==(const SyncCall&, const SyncCall&) = default;
};

// While it lives, SYNC reaches it instead of the kernel: it records the calls that it answered with success. One at a
// time.
class FakeKernel {
  public:
    FakeKernel() { current = this; }
    ~FakeKernel() { current = nullptr; }
    FakeKernel(const FakeKernel&) = delete;
    FakeKernel& operator=(const FakeKernel&) = delete;

    [[nodiscard]] int answer(int fd, uint64_t flags);

    bool filesAreDmaBufs = false;  // fstatfs says so of every fd
    std::deque<int> errors;        // what the next calls give, in order; 0 for success
    std::vector<SyncCall> done;
    // Fences, by the inode of the file: poll for such an event waits for an eventfd that the test writes to instead.
    struct Fence {
        short events;  // POLLIN: somebody writes the buffer; POLLOUT: somebody uses it
        int eventFd;
    };
    std::multimap<ino_t, Fence> fences;  // set before others poll
    std::atomic<int> interruptions{0};   // so many polls that don't wait are interrupted by a signal
    size_t asked = 0;

    inline static std::atomic<FakeKernel*> current = nullptr;

  private:
    std::mutex mutex_;  // of those who sync
};

}  // namespace larod::buffer::test
