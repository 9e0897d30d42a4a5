// SPDX-License-Identifier: Apache-2.0
// What jobs on dma-bufs cost, and whether that depends on their size.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace larod::bench {

struct DmaBufOptions {
    size_t rounds = 0;
    size_t block = 0;        // operations of one kind in a round
    std::optional<int> cpu;  // of both sides
    std::string heap;        // that the service allocates from: larod --dma-heap
};

// Measures and prints. Needs a kernel with dma-bufs and the right to allocate them; throws Error where they are
// missing.
void measureDmaBufs(const DmaBufOptions& options);

}  // namespace larod::bench
