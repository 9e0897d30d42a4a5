// SPDX-License-Identifier: Apache-2.0
// debug-device: does what its load parameters say, for tests, ours and those of applications.
#pragma once

#include <memory>

#include "device/device.h"

namespace larod::device {

[[nodiscard]] std::unique_ptr<Device> makeDebugDevice();

}  // namespace larod::device
