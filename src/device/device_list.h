// SPDX-License-Identifier: Apache-2.0
// Every device that this build and this machine have.
#pragma once

#include <memory>
#include <vector>

#include "device/device.h"

namespace larod::device {

// Makes and warms up the devices, in the order in which clients see them. A device whose library is missing is absent,
// and the log says why and what to install. One thread.
[[nodiscard]] std::vector<std::unique_ptr<Device>> makeDevices();

}  // namespace larod::device
