// SPDX-License-Identifier: Apache-2.0
// dma-bufs that the tool makes itself.
#include "larod-client/dma_buf.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <fstream>
#include <limits>
#include <string>
#include <system_error>

#include "larod-client/tool_error.h"

namespace larod::tools {

namespace {

constexpr const char* kHeap = "/dev/dma_heap/system";
constexpr const char* kUdmabuf = "/dev/udmabuf";

// Each of these gives no fd where errno tells why.
UniqueFd fromHeap(size_t sizeBytes) {
    const UniqueFd heap(::open(kHeap, O_RDONLY | O_CLOEXEC));
    dma_heap_allocation_data request = {};
    request.len = sizeBytes;
    request.fd_flags = O_RDWR | O_CLOEXEC;
    if (!heap || ::ioctl(heap.get(), DMA_HEAP_IOCTL_ALLOC, &request) != 0) {
        return {};
    }
    return UniqueFd(static_cast<int>(request.fd));
}

UniqueFd fromMemoryFile(size_t sizeBytes) {
    const UniqueFd device(::open(kUdmabuf, O_RDWR | O_CLOEXEC));
    if (!device) {
        return {};
    }
    // The kernel takes no memory file that could be cut off.
    const UniqueFd memory(::memfd_create("larod-client-dma-buf", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!memory || ::ftruncate(memory.get(), static_cast<off_t>(sizeBytes)) != 0 ||
        ::fcntl(memory.get(), F_ADD_SEALS, F_SEAL_SHRINK) != 0) {
        return {};
    }
    udmabuf_create request = {};
    request.memfd = static_cast<uint32_t>(memory.get());
    request.flags = UDMABUF_FLAGS_CLOEXEC;
    request.size = sizeBytes;
    return UniqueFd(::ioctl(device.get(), UDMABUF_CREATE, &request));
}

// A heap does not refuse what the machine has not, it has processes killed for it. True where nothing is known.
bool hasMemory(size_t sizeBytes) {
    std::ifstream file("/proc/meminfo");
    std::string key;
    std::string rest;
    for (uint64_t kib = 0; file >> key >> kib; std::getline(file, rest)) {
        if (key == "MemAvailable:") {
            return sizeBytes / 1024 < kib;
        }
    }
    return true;
}

}  // namespace

UniqueFd allocateDmaBuf(size_t sizeBytes, std::string_view what) {
    const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
    if (sizeBytes > std::numeric_limits<size_t>::max() / 2 || !hasMemory(sizeBytes)) {
        throw ToolError(ENOMEM,
                        fmt::format("Could not allocate a dma-buf for {}: its {} bytes are more than the memory "
                                    "that this machine has to spare",
                                    what, sizeBytes));
    }
    const size_t rounded = (sizeBytes + page - 1) / page * page;
    if (UniqueFd buffer = fromHeap(rounded)) {
        return buffer;
    }
    const int heapError = errno;
    if (UniqueFd buffer = fromMemoryFile(rounded)) {
        return buffer;
    }
    const int error = errno;
    throw ToolError(error, fmt::format("Could not allocate a dma-buf for {}: {}: {}; {}: {}", what, kHeap,
                                       std::generic_category().message(heapError), kUdmabuf,
                                       std::generic_category().message(error)));
}

}  // namespace larod::tools
