// SPDX-License-Identifier: Apache-2.0
// cpu-proc: crops, scales, converts and normalises images on the CPU. docs/preprocessing.md has its parameters.
#pragma once

#include <memory>

#include "device/device.h"

namespace larod::device {

[[nodiscard]] std::unique_ptr<Device> makeProcDevice();

}  // namespace larod::device
