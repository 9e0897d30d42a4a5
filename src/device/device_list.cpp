// SPDX-License-Identifier: Apache-2.0
#include "device/device_list.h"

#include <algorithm>

#include "base/error.h"
#include "base/log.h"
#include "device/debug/debug_device.h"
#include "device/litert/litert_device.h"
#include "device/proc/proc_device.h"

namespace larod::device {

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

DeviceList makeDevices() {
    // The order of clients' device lists: the network device that every program expects comes first.
    struct Entry {
        const char* name;
        std::unique_ptr<Device> (*make)();
    };
    static constexpr Entry kEntries[] = {
        {"cpu-tflite", makeLitertDevice},
        {"cpu-proc", makeProcDevice},
        {"debug-device", makeDebugDevice},
    };
    std::vector<std::unique_ptr<Device>> devices;
    for (const Entry& entry : kEntries) {
        try {
            auto device = entry.make();
            device->warmUp();
            devices.push_back(std::move(device));
        } catch (const Error& error) {
            spdlog::warn("device {} is absent: {}", entry.name, error.text());
        }
    }
    return DeviceList(std::move(devices));
}

}  // namespace larod::device
