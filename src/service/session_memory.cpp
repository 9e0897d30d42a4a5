// SPDX-License-Identifier: Apache-2.0
#include "service/session_memory.h"

#include <unistd.h>

#include "base/checked.h"
#include "base/error.h"
#include "buffer/memfd.h"

namespace larod::service {

uint64_t sessionMemoryLimit() noexcept {
    return static_cast<uint64_t>(::sysconf(_SC_PHYS_PAGES)) * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE)) / 2;
}

void SessionMemory::check(std::span<const uint64_t> sizes) const {
    uint64_t total = bytes_;
    for (const uint64_t size : sizes) {
        const auto sum = checkedAdd(total, size);
        if (!sum || *sum > limitBytes_) {
            throw Error(
                LAROD_ERROR_ALLOC,
                "{} bytes more would exceed the session's limit of {} bytes (larod --session-memory); {} are in "
                "use",
                size, limitBytes_, bytes_);
        }
        total = *sum;
    }
    if (sizes_.size() + sizes.size() > kMaxBuffersPerSession) {
        throw Error(LAROD_ERROR_ALLOC, "more than {} buffers in one session", kMaxBuffersPerSession);
    }
}

SessionMemory::Allocation SessionMemory::allocate(std::span<const uint64_t> sizes) {
    check(sizes);
    Allocation allocation;
    for (const uint64_t size : sizes) {
        allocation.fds.push_back(buffer::makeSealedMemfd("larod", size));
    }
    allocation.ids = reserve(sizes);
    return allocation;
}

std::vector<uint64_t> SessionMemory::reserve(std::span<const uint64_t> sizes) {
    check(sizes);
    std::vector<uint64_t> ids;
    for (const uint64_t size : sizes) {
        ids.push_back(++lastId_);
        sizes_.emplace(lastId_, size);
        bytes_ += size;
    }
    return ids;
}

void SessionMemory::release(std::span<const uint64_t> ids) noexcept {
    for (const uint64_t id : ids) {
        const auto it = sizes_.find(id);
        if (it != sizes_.end()) {
            bytes_ -= it->second;
            sizes_.erase(it);
        }
    }
}

}  // namespace larod::service
