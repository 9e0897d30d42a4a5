// SPDX-License-Identifier: Apache-2.0
// Chips: how API versions 1 and 2 name devices. Only for sources that define LAROD_API_VERSION_1 or _2 before they
// include anything, as larodChip exists in no other version.
#pragma once

#include <string_view>
#include <vector>

#include "client/device.h"
#include "larod.h"

namespace larod::client {

// The chip of a device with this name; LAROD_CHIP_INVALID where it has none.
[[nodiscard]] larodChip chipOfDevice(std::string_view deviceName) noexcept;

// Whether the devices of a chip run neural networks.
[[nodiscard]] bool runsNetworks(larodChip chip) noexcept;

// A text for people; never nullptr, also not for values that are no chip.
[[nodiscard]] const char* chipName(larodChip chip) noexcept;

// The device that a model for this chip is loaded onto: instance 0 of the first of the chip's names that is present.
// Throws Error(LAROD_ERROR_INVALID_CHIP_ID) where there is none.
[[nodiscard]] const larodDevice& deviceOfChip(const std::vector<larodDevice>& devices, larodChip chip);

// Error(LAROD_ERROR_INVALID_CHIP_ID) that names the chip and the devices that could serve it.
[[noreturn]] void throwNoDeviceOfChip(larodChip chip);

}  // namespace larod::client
