// SPDX-License-Identifier: Apache-2.0
// Whether the devices that the configuration asks for make a list.
#pragma once

#include "device/device_choice.h"

namespace larod::service {

// Throws Error(EINVAL), with the place of the faulty alias: each has a name of its own that clients can say, and a
// target that this build can have and that is no alias; the list is not longer than the protocol allows. (Whether a
// target is there on this machine is seen later: then the alias is left out.)
void checkDeviceChoice(const device::DeviceChoice& choice);

}  // namespace larod::service
