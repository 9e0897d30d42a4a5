// SPDX-License-Identifier: Apache-2.0
#include "buffer/dma_buf_allocator.h"

#include <fcntl.h>
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <optional>

#include "base/checked.h"
#include "base/error.h"
#include "base/log.h"
#include "buffer/memfd.h"

namespace larod::buffer {
namespace {

// What is left for others, of what there is: it is less by now, perhaps.
constexpr uint64_t kSpareShare = 16;

// What the kernel can give without taking it from others; nothing where it does not say.
std::optional<uint64_t> availableBytes() {
    std::ifstream file("/proc/meminfo");
    std::string key;
    uint64_t kib = 0;
    std::string unit;
    while (file >> key >> kib) {
        if (key == "MemAvailable:") {
            return (kib - kib / kSpareShare) * 1024;
        }
        std::getline(file, unit);
    }
    return std::nullopt;
}

std::string openFailure(const std::string& node, int error, int flags) {
    const char* hint = "";
    if (error == ENOENT) {
        hint = " (this kernel has it not, or its module is not loaded)";
    } else if (error == EACCES || error == EPERM) {
        hint = flags == O_RDONLY ? " (the service's user needs read access to it)"
                                 : " (the service's user needs read and write access to it)";
    }
    return fmt::format("{}: {}{}", node, errnoText(error), hint);
}

UniqueFd openNode(const std::string& node, int flags, std::string& failures) {
    UniqueFd fd(::open(node.c_str(), flags | O_CLOEXEC));
    if (!fd) {
        failures += openFailure(node, errno, flags);
    }
    return fd;
}

UniqueFd allocateFromHeap(const std::string& node, uint64_t sizeBytes, std::string& failures) {
    const UniqueFd heap = openNode(node, O_RDONLY, failures);  // all that a heap wants
    if (!heap) {
        return {};
    }
    dma_heap_allocation_data request = {};
    request.len = sizeBytes;
    request.fd_flags = O_RDWR | O_CLOEXEC;
    if (::ioctl(heap.get(), DMA_HEAP_IOCTL_ALLOC, &request) != 0) {
        failures += fmt::format("{}: {} bytes: {}", node, sizeBytes, errnoText(errno));
        return {};
    }
    return UniqueFd(static_cast<int>(request.fd));
}

UniqueFd allocateFromMemfd(const std::string& node, uint64_t sizeBytes, std::string& failures) {
    const UniqueFd device = openNode(node, O_RDWR, failures);
    if (!device) {
        return {};
    }
    const UniqueFd memory = makeSealedMemfd("larod-dma-buf", sizeBytes);
    udmabuf_create request = {};
    request.memfd = static_cast<uint32_t>(memory.get());
    request.flags = UDMABUF_FLAGS_CLOEXEC;
    request.size = sizeBytes;
    UniqueFd buffer(::ioctl(device.get(), UDMABUF_CREATE, &request));
    if (!buffer) {
        const char* hint = errno == EINVAL ? " (the module's parameter size_limit_mb bounds a buffer)" : "";
        failures += fmt::format("{}: {} bytes: {}{}", node, sizeBytes, errnoText(errno), hint);
    }
    return buffer;
}

}  // namespace

UniqueFd DmaBufAllocator::allocate(uint64_t sizeBytes) const {
    const auto size = checkedRoundUp<uint64_t>(sizeBytes, static_cast<uint64_t>(::sysconf(_SC_PAGESIZE)));
    if (sizeBytes == 0 || !size) {
        throw Error(LAROD_ERROR_ALLOC, "can't allocate a dma-buf of {} bytes", sizeBytes);
    }
    if (const auto available = availableBytes(); available && *size > *available) {
        throw Error(LAROD_ERROR_ALLOC, "can't allocate a dma-buf of {} bytes: the machine has {} bytes to spare", *size,
                    *available);
    }
    std::string failures;
    if (UniqueFd buffer = allocateFromHeap(nodes_.heap, *size, failures)) {
        return buffer;
    }
    failures += "; ";
    if (UniqueFd buffer = allocateFromMemfd(nodes_.udmabuf, *size, failures)) {
        log::debug("a dma-buf from {}, since {}", nodes_.udmabuf, failures);
        return buffer;
    }
    throw Error(LAROD_ERROR_ALLOC, "can't allocate a dma-buf: {}", failures);
}

}  // namespace larod::buffer
