// SPDX-License-Identifier: Apache-2.0
// Texts about a tensor.
#pragma once

#include <string>

#include "larod.h"

namespace larod::tools {

// One line, for -d: "'input' FLOAT32 NHWC, dims 1x128x128x3, pitches 196608,196608,1536,12, 196608 bytes"
[[nodiscard]] std::string describeTensor(const larodTensor* tensor);

// "UINT8", "NHWC": the names of larod.h; "unknown" for anything else.
[[nodiscard]] const char* typeText(larodTensorDataType type) noexcept;
[[nodiscard]] const char* layoutText(larodTensorLayout layout) noexcept;

}  // namespace larod::tools
