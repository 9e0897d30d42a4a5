// SPDX-License-Identifier: Apache-2.0
#include "device/debug/debug_device.h"

#include "base/error.h"

namespace larod::device {

std::unique_ptr<Device> makeDebugDevice() {
    throw Error(LAROD_ERROR_LOAD_MODEL, "this build does not have it");
}

}  // namespace larod::device
