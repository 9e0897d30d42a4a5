// SPDX-License-Identifier: Apache-2.0
// Which devices clients see: those of this machine or those of a product, and further names.
#pragma once

#include <string>
#include <vector>

#include "device/profile.h"
#include "device/v4l2_choice.h"

namespace larod::device {

// A further name of a device, which is listed as a device of its own.
struct Alias {
    std::string name;
    std::string target;  // a listed device, or one of this machine that a profile does not list
    std::string place;   // where it was asked for, for messages: "larod.toml:4:1"
};

struct DeviceChoice {
    const Profile* profile = nullptr;  // nullptr: the devices of this machine
    std::vector<Alias> aliases;        // in the order in which they are listed, behind all others
    V4l2Choice v4l2 = {};
};

}  // namespace larod::device
