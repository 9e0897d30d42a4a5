// SPDX-License-Identifier: Apache-2.0
// The device lists of products, for programs that have them compiled in (devices.md 3.3): what each is called, what of
// this machine stands in for it, and what it can't do.
//
// The limits are those of release 3.2. Sizes and properties that a device here must refuse although the product allows
// them are said in docs/architecture.md.
#pragma once

#include <span>
#include <string_view>

#include "device/stand_in.h"

namespace larod::device {

struct ProfileEntry {
    std::string_view name;    // as the product lists it
    std::string_view target;  // a device of ours; the same name where it is that device itself
    StandInLimits limits = {};
};

struct Profile {
    std::string_view name;
    std::span<const ProfileEntry> devices;  // in the product's order; names are distinct
};

// In the order of their names.
[[nodiscard]] std::span<const Profile> profiles() noexcept;

// nullptr where there is none of that name. The result is valid for ever, and so is what it refers to.
[[nodiscard]] const Profile* findProfile(std::string_view name) noexcept;

}  // namespace larod::device
