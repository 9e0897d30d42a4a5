// SPDX-License-Identifier: Apache-2.0
// Results of other threads for the arbiter's, which watches many fds.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/unique_fd.h"

namespace larod::service {

// Thread: any.
template <typename Result>
class ResultQueue {
  public:
    ResultQueue() {
        if (!ready_) {
            throw Error(LAROD_ERROR_CONNECTION, "can't make an event descriptor: {}", errnoText(errno));
        }
    }

    // Readable when take() has something.
    [[nodiscard]] int fd() const noexcept { return ready_.get(); }

    void put(Result result) {
        const std::lock_guard lock(mutex_);
        results_.push_back(std::move(result));
        const uint64_t one = 1;
        [[maybe_unused]] const ssize_t written = ::write(ready_.get(), &one, sizeof(one));
    }

    // The oldest result, if there is one.
    [[nodiscard]] std::optional<Result> take() {
        const std::lock_guard lock(mutex_);
        uint64_t one = 0;
        if (::read(ready_.get(), &one, sizeof(one)) != static_cast<ssize_t>(sizeof(one))) {
            return std::nullopt;
        }
        Result result = std::move(results_.front());
        results_.pop_front();
        return result;
    }

  private:
    const UniqueFd ready_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE)};  // counts the results
    std::mutex mutex_;                                                                // guards what follows
    std::deque<Result> results_;
};

}  // namespace larod::service
