// SPDX-License-Identifier: Apache-2.0
// dma-bufs that the tool makes itself.
#pragma once

#include <cstddef>
#include <string_view>

#include "unique_fd.h"

namespace larod::tools {

// A zeroed dma-buf of at least `sizeBytes` > 0, from the kernel's heap of system memory or else from udmabuf. `what` it
// is for stands in the ToolError, which names both nodes and why neither gave one.
[[nodiscard]] UniqueFd allocateDmaBuf(size_t sizeBytes, std::string_view what);

}  // namespace larod::tools
