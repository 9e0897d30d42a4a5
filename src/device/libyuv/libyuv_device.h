// SPDX-License-Identifier: Apache-2.0
// cpu-proc: crop, scale and convert images on the CPU, by libyuv.
#pragma once

#include <memory>

#include "device/device.h"

namespace larod::device {

[[nodiscard]] std::unique_ptr<Device> makeLibyuvDevice();

}  // namespace larod::device
