// SPDX-License-Identifier: Apache-2.0
#include "device/device_list.h"

#include <functional>

#include "base/error.h"
#include "base/log.h"
#include "device/debug/debug_device.h"
#include "device/litert/litert_device.h"
#include "device/proc/proc_device.h"

namespace larod::device {

std::vector<std::unique_ptr<Device>> makeDevices() {
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
    return devices;
}

}  // namespace larod::device
