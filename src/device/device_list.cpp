// SPDX-License-Identifier: Apache-2.0
#include "device/device_list.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>

#include "base/error.h"
#include "base/log.h"
#include "device/debug/debug_device.h"
#include "device/fused_device.h"
#include "device/litert/litert_device.h"
#include "device/proc/proc_device.h"
#include "device/stand_in.h"
#include "device/v4l2/v4l2_device.h"

namespace larod::device {
namespace {

// In the order of clients' device lists: the network device that every program expects comes first.
constexpr std::array<std::string_view, 4> kNames = {"cpu-tflite", "cpu-proc", "v4l2-proc", "debug-device"};

using Devices = std::vector<std::unique_ptr<Device>>;

template <std::unique_ptr<Device> (*make)()>
Devices makeOne(const DeviceChoice& /*choice*/) {
    Devices devices;
    devices.push_back(make());
    return devices;
}

std::unique_ptr<Device> makeNetworkDevice() {
    return makeFused(makeLitertDevice(), makeProcDevice());
}

// All instances of a name.
constexpr std::array<Devices (*)(const DeviceChoice&), kNames.size()> kMakers = {
    makeOne<makeNetworkDevice>, makeOne<makeProcDevice>,
    [](const DeviceChoice& choice) { return makeV4l2Devices(choice.v4l2); }, makeOne<makeDebugDevice>};

// Puts a list together: units stay where they are until it is known which are listed themselves, which are presented by
// others, and which nobody sees.
class Lister {
  public:
    explicit Lister(const DeviceChoice& choice) {
        for (size_t i = 0; i < kNames.size(); ++i) {
            try {
                for (auto& device : kMakers[i](choice)) {
                    device->warmUp();
                    present_.push_back(device.get());
                    owned_.push_back(std::move(device));
                }
            } catch (const Error& error) {
                log::warn("device {} is absent: {}", kNames[i], error.text());
            }
        }
    }

    void listPresent() {
        for (const Device* device : present_) {
            listItself(*device);
        }
    }

    void listProfile(const Profile& profile) {
        std::map<std::string_view, std::vector<std::string_view>> standIns;  // by target
        for (const ProfileEntry& entry : profile.devices) {
            Device* const target = findPresent(entry.target);
            if (target == nullptr) {
                log::warn("profile {}: {} is left out, as {} is absent", profile.name, entry.name, entry.target);
            } else if (entry.name == entry.target) {
                listItself(*target);
            } else {
                listed_.push_back(makeStandIn(std::string(entry.name), *target, entry.limits));
                standIns[entry.target].push_back(entry.name);
            }
        }
        std::vector<std::string> texts;
        for (const auto& [target, names] : standIns) {
            texts.push_back(fmt::format("{} stands in for {}", target, fmt::join(names, ", ")));
        }
        log::info("profile {}: {}; models are of the device that stands in", profile.name, fmt::join(texts, "; "));
    }

    void listAlias(const Alias& alias) {
        Device* target = findListed(alias.target);
        if (target == nullptr) {
            target = findPresent(alias.target);
        }
        if (target == nullptr) {
            log::warn("{}: alias {} is left out, as {} is absent", alias.place, alias.name, alias.target);
        } else if (alias.name == alias.target) {
            listItself(*target);
        } else {
            listed_.push_back(makeStandIn(alias.name, *target));
            log::info("{} is a further name of {}", alias.name, alias.target);
        }
    }

    [[nodiscard]] DeviceList take() {
        Devices hidden;
        for (auto& unit : owned_) {
            const auto presents = [&unit](const auto& device) { return &device->target() == unit.get(); };
            if (unit && std::ranges::any_of(listed_, presents)) {
                hidden.push_back(std::move(unit));
            }
        }
        return DeviceList(std::move(listed_), std::move(hidden));
    }

  private:
    [[nodiscard]] Device* findPresent(std::string_view name) const {
        const auto found = std::ranges::find(present_, name, &Device::name);
        return found == present_.end() ? nullptr : *found;
    }

    [[nodiscard]] Device* findListed(std::string_view name) const {
        const auto found = std::ranges::find(listed_, name, [](const auto& device) { return device->name(); });
        return found == listed_.end() ? nullptr : found->get();
    }

    void listItself(const Device& unit) {
        listed_.push_back(std::move(*std::ranges::find(owned_, &unit, &std::unique_ptr<Device>::get)));
    }

    std::vector<Device*> present_;  // the units of this machine, listed or not
    Devices owned_;                 // those that are not listed; nullptr where one was moved away
    Devices listed_;
};

}  // namespace

DeviceList::DeviceList(std::vector<std::unique_ptr<Device>> listed, std::vector<std::unique_ptr<Device>> hidden)
    : hidden_(std::move(hidden)), listed_(std::move(listed)) {
    for (const auto& device : listed_) {
        Device* const target = &device->target();
        const auto found = std::ranges::find(units_, target);
        unitOf_.push_back(static_cast<uint32_t>(found - units_.begin()));
        if (found == units_.end()) {
            units_.push_back(target);
        }
    }
}

std::span<const std::string_view> deviceNames() noexcept {
    return kNames;
}

DeviceList makeDevices(const DeviceChoice& choice) {
    Lister lister(choice);
    if (choice.profile == nullptr) {
        lister.listPresent();
    } else {
        lister.listProfile(*choice.profile);
    }
    for (const Alias& alias : choice.aliases) {
        lister.listAlias(alias);
    }
    return lister.take();
}

}  // namespace larod::device
