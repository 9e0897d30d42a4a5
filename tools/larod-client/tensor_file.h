// SPDX-License-Identifier: Apache-2.0
// A file as the buffer of a tensor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "larod.h"

namespace larod::tools {

// Throws ToolError when the size is not defined. `what` names the tensor: "input 0".
[[nodiscard]] size_t tensorByteSize(const larodTensor* tensor, std::string_view what);

// The tensor borrows `fd`, from its beginning, for `sizeBytes`. Throws ToolError.
void setTensorFile(larodTensor* tensor, int fd, size_t sizeBytes, uint32_t fdProps, std::string_view what);

}  // namespace larod::tools
