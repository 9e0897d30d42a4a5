// SPDX-License-Identifier: Apache-2.0
#include "unit/buffer/fake_kernel.h"

#include <dlfcn.h>
#include <linux/dma-buf.h>
#include <linux/magic.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>

#ifndef DMA_BUF_MAGIC
#define DMA_BUF_MAGIC 0x444d4142
#endif

namespace larod::buffer::test {

int FakeKernel::answer(int fd, uint64_t flags) {
    const std::lock_guard lock(mutex_);
    ++asked;
    if (!errors.empty()) {
        errno = errors.front();
        errors.pop_front();
        if (errno != 0) {
            return -1;
        }
    }
    done.push_back({fd, flags});
    return 0;
}

}  // namespace larod::buffer::test

using larod::buffer::test::FakeKernel;

extern "C" int ioctl(int fd, unsigned long request, ...) noexcept {
    va_list arguments;
    va_start(arguments, request);
    void* argument = va_arg(arguments, void*);
    va_end(arguments);
    if (FakeKernel::current != nullptr && request == DMA_BUF_IOCTL_SYNC) {
        return FakeKernel::current.load()->answer(fd, static_cast<const dma_buf_sync*>(argument)->flags);
    }
    using Function = int (*)(int, unsigned long, ...);
    static const auto real = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, "ioctl"));
    return real(fd, request, argument);
}

// What is watched for by a fence becomes the fence's eventfd, readable.
extern "C" int poll(pollfd* polls, nfds_t count, int timeout) {
    std::vector<pollfd> asked(polls, polls + count);
    if (FakeKernel::current != nullptr && !FakeKernel::current.load()->fences.empty()) {
        for (pollfd& one : asked) {
            struct stat status = {};
            if (::fstat(one.fd, &status) != 0) {
                continue;
            }
            const auto [first, last] = FakeKernel::current.load()->fences.equal_range(status.st_ino);
            const auto fence =
                std::find_if(first, last, [&one](const auto& entry) { return entry.second.events == one.events; });
            if (fence != last) {
                one = {fence->second.eventFd, POLLIN, 0};
            }
        }
    }
    if (FakeKernel::current != nullptr && timeout == 0 && FakeKernel::current.load()->interruptions > 0) {
        --FakeKernel::current.load()->interruptions;
        errno = EINTR;
        return -1;
    }
    const timespec limit = {timeout / 1000, (timeout % 1000) * 1'000'000L};
    const int ready = ::ppoll(asked.data(), count, timeout < 0 ? nullptr : &limit, nullptr);
    for (nfds_t i = 0; i < count; ++i) {
        polls[i].revents = asked[i].fd == polls[i].fd || asked[i].revents == 0 ? asked[i].revents : polls[i].events;
    }
    return ready;
}

// With 64-bit file offsets this defines fstatfs64, which the program calls.
extern "C" int fstatfs(int fd, struct statfs* result) noexcept {
    if (FakeKernel::current != nullptr && FakeKernel::current.load()->filesAreDmaBufs) {
        *result = {};
        result->f_type = DMA_BUF_MAGIC;
        return 0;
    }
    using Function = int (*)(int, struct statfs*);
    static const auto real = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, "fstatfs64"));
    return real(fd, result);
}
