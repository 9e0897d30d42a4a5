// SPDX-License-Identifier: Apache-2.0
#include "service/device_choice.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "device/device_list.h"
#include "wire/limits.h"

namespace larod::service {
namespace {

using Names = std::vector<std::string_view>;

bool contains(const Names& names, std::string_view name) {
    return std::ranges::find(names, name) != names.end();
}

Names listedNames(const device::DeviceChoice& choice) {
    Names names;
    if (choice.profile == nullptr) {
        const auto all = device::deviceNames();
        names.assign(all.begin(), all.end());
    } else {
        std::ranges::transform(choice.profile->devices, std::back_inserter(names), &device::ProfileEntry::name);
    }
    return names;
}

// What applications have compiled in are words of letters, digits and hyphens; a blank or a control character is a
// slip.
bool canBeSaid(std::string_view name) {
    return !name.empty() && name.size() <= wire::kMaxDeviceNameLength &&
           std::ranges::all_of(name, [](char c) { return c > ' ' && c < '\x7f'; });
}

void checkAlias(const device::Alias& alias, const device::DeviceChoice& choice, const Names& listed,
                const Names& possible) {
    const auto isAlias = [&choice](std::string_view name) {
        return std::ranges::find(choice.aliases, name, &device::Alias::name) != choice.aliases.end();
    };
    if (!canBeSaid(alias.name)) {
        throw Error(EINVAL, "{}: alias '{}': expected a name of 1 to {} visible ASCII characters", alias.place,
                    alias.name, wire::kMaxDeviceNameLength);
    }
    if (contains(listed, alias.name)) {
        throw Error(EINVAL, "{}: alias '{}': a device of that name is listed already; choose another name", alias.place,
                    alias.name);
    }
    if (alias.name == alias.target && contains(possible, alias.target)) {
        return;  // a device that the profile hides is listed
    }
    if (contains(possible, alias.name)) {
        throw Error(EINVAL, "{}: alias '{}': that is a device of its own, which profile {} hides; {} = \"{}\" lists it",
                    alias.place, alias.name, choice.profile->name, alias.name, alias.name);
    }
    if (isAlias(alias.target) && !contains(possible, alias.target)) {
        throw Error(EINVAL, "{}: alias '{}': '{}' is an alias, too; name the device itself", alias.place, alias.name,
                    alias.target);
    }
    if (!contains(listed, alias.target) && !contains(possible, alias.target)) {
        Names all = listed;
        std::ranges::copy_if(possible, std::back_inserter(all), [&](auto name) { return !contains(listed, name); });
        throw Error(EINVAL, "{}: alias '{}': there is no device '{}'; there are {}", alias.place, alias.name,
                    alias.target, fmt::join(all, ", "));
    }
}

}  // namespace

void checkDeviceChoice(const device::DeviceChoice& choice) {
    const Names listed = listedNames(choice);
    const Names possible(device::deviceNames().begin(), device::deviceNames().end());
    for (const device::Alias& alias : choice.aliases) {
        checkAlias(alias, choice, listed, possible);
    }
    // Each name is one device, but for that of the V4L2 converters, of which there may be several.
    const size_t others = listed.size() + (choice.profile == nullptr ? device::kMaxV4l2Devices - 1 : 0);
    const size_t most = wire::kMaxDevices - others;
    if (choice.aliases.size() > most) {
        throw Error(EINVAL, "{}: {} aliases are too many; beside the {} devices that there may be there is room for {}",
                    choice.aliases[most].place, choice.aliases.size(), others, most);
    }
}

}  // namespace larod::service
