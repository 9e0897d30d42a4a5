// SPDX-License-Identifier: Apache-2.0
// One line about a tensor, for -d.
#pragma once

#include <string>

#include "larod.h"

namespace larod::tools {

// "'input' FLOAT32 NHWC, dims 1x128x128x3, pitches 196608,196608,1536,12, 196608 bytes"
[[nodiscard]] std::string describeTensor(const larodTensor* tensor);

}  // namespace larod::tools
