// SPDX-License-Identifier: Apache-2.0
// Makes dma-bufs for sessions on a thread of its own: the kernel zeroes them, and the arbiter does not wait for that.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"
#include "buffer/dma_buf_allocator.h"
#include "service/device_turns.h"
#include "service/result_queue.h"

namespace larod::service {

// Thread: the arbiter's, but for the thread within. That one is made at the first request.
class DmaBufWorker {
  public:
    struct Request {
        SessionKey session = 0;
        uint64_t requestId = 0;       // of the session's message
        std::vector<uint64_t> ids;    // of the memory that the session was promised
        std::vector<uint64_t> sizes;  // bytes, one an id
    };
    struct Result {
        Request request;
        std::vector<UniqueFd> fds;   // one an id, or none
        std::optional<Error> error;  // why there are none
    };

    explicit DmaBufWorker(buffer::DmaBufAllocator allocator);
    ~DmaBufWorker();  // waits for the buffer that is being made
    DmaBufWorker(const DmaBufWorker&) = delete;
    DmaBufWorker& operator=(const DmaBufWorker&) = delete;

    // All buffers of a request or none; requests one after the other.
    void start(Request request);

    // Readable when take() has something.
    [[nodiscard]] int fd() const noexcept { return results_.fd(); }
    [[nodiscard]] std::optional<Result> take() { return results_.take(); }

  private:
    void work();
    [[nodiscard]] Result make(Request request) const;

    const buffer::DmaBufAllocator allocator_;
    ResultQueue<Result> results_;

    std::mutex mutex_;  // guards what follows
    std::condition_variable changed_;
    std::deque<Request> requests_;
    bool stopped_ = false;

    std::thread thread_;
};

}  // namespace larod::service
