// SPDX-License-Identifier: Apache-2.0
// Makes dma-bufs, where the machine has a node that gives them.
#pragma once

#include <cstdint>
#include <string>

#include "base/unique_fd.h"

namespace larod::buffer {

// Where dma-bufs come from, in the order in which the nodes are tried (dma-buf.md 7.3, behaviour.md 6.2).
struct DmaBufNodes {
    std::string heap = "/dev/dma_heap/system";  // of the kernel's dma-buf heaps: memory from the machine's, or reserved
    std::string udmabuf = "/dev/udmabuf";       // makes dma-bufs of memory files
};

// Thread: any. Opens the nodes at each call, so that it needs nothing at start and says what is the case now.
class DmaBufAllocator {
  public:
    explicit DmaBufAllocator(DmaBufNodes nodes = {}) : nodes_(std::move(nodes)) {}

    // A zero-filled dma-buf of `sizeBytes` > 0, rounded up to pages. Takes its time: the kernel zeroes it. Throws
    // Error(LAROD_ERROR_ALLOC) that names each node that was tried and why it failed; also, without asking the kernel,
    // where the machine has not that much memory to spare: a heap would not refuse, it would wake the OOM killer.
    [[nodiscard]] UniqueFd allocate(uint64_t sizeBytes) const;

  private:
    DmaBufNodes nodes_;
};

}  // namespace larod::buffer
