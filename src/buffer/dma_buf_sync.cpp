// SPDX-License-Identifier: Apache-2.0
#include "buffer/dma_buf_sync.h"

#include <linux/dma-buf.h>
#include <sched.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <utility>

#include "base/error.h"

namespace larod::buffer {
namespace {

constexpr int kMaxAgain = 500;

// 0, or the errno that is final.
int sync(int fd, uint64_t flags) noexcept {
    dma_buf_sync argument = {};
    argument.flags = flags;
    for (int again = 0;;) {
        if (::ioctl(fd, DMA_BUF_IOCTL_SYNC, &argument) == 0) {
            return 0;
        }
        if (errno == EINTR) {
            continue;
        }
        if (errno != EAGAIN || ++again == kMaxAgain) {
            return errno;
        }
        ::sched_yield();
    }
}

}  // namespace

DmaBufSync::DmaBufSync(DmaBufSync&& other) noexcept : fd_(std::exchange(other.fd_, -1)), direction_(other.direction_) {}

DmaBufSync& DmaBufSync::operator=(DmaBufSync&& other) noexcept {
    if (this != &other) {
        if (fd_ >= 0) {
            sync(fd_, DMA_BUF_SYNC_END | direction_);
        }
        fd_ = std::exchange(other.fd_, -1);
        direction_ = other.direction_;
    }
    return *this;
}

DmaBufSync::~DmaBufSync() {
    if (fd_ >= 0) {
        sync(fd_, DMA_BUF_SYNC_END | direction_);  // on an error path: the first error is the one to tell
    }
}

DmaBufSync::Begun DmaBufSync::begin(int fd, CpuAccess access) {
    const uint64_t direction = access == CpuAccess::Read ? DMA_BUF_SYNC_READ : DMA_BUF_SYNC_WRITE;
    const int result = sync(fd, DMA_BUF_SYNC_START | direction);
    if (result == ENOTTY) {
        return Begun::NotADmaBuf;
    }
    if (result != 0) {
        throw Error(LAROD_ERROR_FD, "can't begin CPU access to the dma-buf: {}", errnoText(result));
    }
    fd_ = fd;
    direction_ = direction;
    return Begun::Yes;
}

void DmaBufSync::end() {
    if (fd_ < 0) {
        return;
    }
    const int result = sync(std::exchange(fd_, -1), DMA_BUF_SYNC_END | direction_);
    if (result != 0) {
        throw Error(LAROD_ERROR_JOB, "can't end CPU access to the dma-buf: {}", errnoText(result));
    }
}

}  // namespace larod::buffer
