// SPDX-License-Identifier: Apache-2.0
// What stands behind a larodTensor, and the array that tensors are handed out in.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>

#include "base/tensor_spec.h"
#include "base/unique_fd.h"
#include "larod.h"

namespace larod::client {

// Names a tensor in the session of one connection. The connection is known by a number that no other connection of the
// process ever has, so that a handle that outlives its connection names nothing.
struct Tracking {
    uint64_t connectionSerial = 0;  // 0: not tracked
    uint64_t id = 0;

    [[nodiscard]] explicit operator bool() const noexcept { return connectionSerial != 0; }
};

// The fd of an allocated tensor. Applications close it themselves sometimes, and the number may be in use again: it is
// closed only while it still refers to the object that was received (behaviour.md 6.3).
class ReceivedFd {
  public:
    ReceivedFd() noexcept = default;
    ReceivedFd(const ReceivedFd&) = delete;
    ReceivedFd& operator=(const ReceivedFd&) = delete;
    ~ReceivedFd();

    // Takes `fd` in place of what is held; returns its number.
    int take(UniqueFd fd) noexcept;

  private:
    void close() noexcept;

    int fd_ = -1;
    dev_t device_ = 0;
    ino_t inode_ = 0;
};

// Where the fds of allocated tensors wait for the end of their connection when the tensors were destroyed as API
// versions 1 and 2 do it. Thread: any.
class FdShelf {
  public:
    // Takes all of them; needs no memory.
    void keep(std::list<ReceivedFd>& fds) noexcept {
        const std::lock_guard lock(mutex_);
        fds_.splice(fds_.end(), fds);
    }

  private:
    std::mutex mutex_;
    std::list<ReceivedFd> fds_;
};

// `count` tensors and a NULL after them, to be handed to the application and released by destroyTensorArray(). Holds
// them until then.
class TensorArray {
  public:
    explicit TensorArray(size_t count);
    TensorArray(const TensorArray&) = delete;
    TensorArray& operator=(const TensorArray&) = delete;
    ~TensorArray();

    [[nodiscard]] size_t size() const noexcept { return count_; }
    [[nodiscard]] larodTensor& operator[](size_t index) const noexcept { return *tensors_[index]; }
    [[nodiscard]] larodTensor** release() noexcept;

  private:
    larodTensor** tensors_ = nullptr;
    size_t count_;
};

void destroyTensorArray(larodTensor** tensors, size_t count) noexcept;

// Throws Error(EINVAL) for bits that are no LAROD_FD_PROP_*.
void checkFdProps(uint32_t fdProps);

// The tensors of one direction of a model, without buffers.
[[nodiscard]] std::unique_ptr<TensorArray> makeModelTensors(const larodModel& model, Direction direction);

}  // namespace larod::client

struct larodTensor {
    // Throws Error(EPERM) where `what` ("fd", "fd size", ...) can't change any more.
    void checkNotTracked(const char* what) const;

    larod::TensorSpec spec;
    int fd = -1;
    size_t fdSize = 0;
    int64_t fdOffset = 0;
    uint32_t fdProps = LAROD_FD_PROP_READWRITE;
    larod::client::Tracking tracking;
    std::list<larod::client::ReceivedFd> receivedFd;  // `fd`, where the service allocated it; empty elsewhere
    std::weak_ptr<larod::client::FdShelf> fdShelf;    // of the connection that it came from
};
