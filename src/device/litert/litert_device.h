// SPDX-License-Identifier: Apache-2.0
// cpu-tflite: .tflite networks on the CPU, by LiteRT.
#pragma once

#include <memory>

#include "device/device.h"

namespace larod::device {

// Throws Error(LAROD_ERROR_LOAD_MODEL) where libLiteRt.so is not there or does not fit; the text says what to install.
[[nodiscard]] std::unique_ptr<Device> makeLitertDevice();

}  // namespace larod::device
