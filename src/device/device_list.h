// SPDX-License-Identifier: Apache-2.0
// The devices as clients see them, and which of them share hardware.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "device/device.h"
#include "device/device_choice.h"

namespace larod::device {

// A *listed device* has a name that clients use. A *unit* is the device whose hardware runs the jobs: the listed device
// itself, or the one that it presents (Device::target()). A unit has one turn and one queue, however many names it has.
//
// Both are named by their place: listed devices in the order of clients' lists, units in the order of their first
// listed device. Thread: any; it does not change.
class DeviceList {
  public:
    DeviceList() = default;
    // `hidden` are units that only listed devices present; every target is in one of the two.
    explicit DeviceList(std::vector<std::unique_ptr<Device>> listed, std::vector<std::unique_ptr<Device>> hidden = {});

    [[nodiscard]] size_t size() const noexcept { return listed_.size(); }
    [[nodiscard]] Device& operator[](size_t place) const noexcept { return *listed_[place]; }

    [[nodiscard]] size_t unitCount() const noexcept { return units_.size(); }
    [[nodiscard]] Device& unit(size_t unit) const noexcept { return *units_[unit]; }
    [[nodiscard]] uint32_t unitOf(size_t place) const noexcept { return unitOf_[place]; }

  private:
    std::vector<std::unique_ptr<Device>> hidden_;  // outlive those that present them
    std::vector<std::unique_ptr<Device>> listed_;
    std::vector<Device*> units_;
    std::vector<uint32_t> unitOf_;  // by place of the listed device
};

// The names of all devices that this build can have, in the order of their list; some may be absent here.
[[nodiscard]] std::span<const std::string_view> deviceNames() noexcept;

// Makes and warms up the devices of this machine, and lists what was chosen. A device whose library is missing is
// absent, and so is what it was to stand in for; the log says why and what to install. One thread.
[[nodiscard]] DeviceList makeDevices(const DeviceChoice& choice);

}  // namespace larod::device
