// SPDX-License-Identifier: Apache-2.0
// The table of devices that -a prints.
#include "larod-client/device_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "larod-client/tool_error.h"

namespace larod::tools {

namespace {

constexpr int kRulerWidth = 43;

std::string ruler(const char* character) {
    std::string line;
    for (int column = 0; column < kRulerWidth; ++column) {
        line += character;
    }
    return line + "\n";
}

struct Device {
    const char* name;  // the connection's
    uint32_t instance;
};

std::vector<Device> listDevices(larodConnection* conn) {
    LarodError error;
    size_t count = 0;
    const larodDevice** devices = larodListDevices(conn, &count, error.out());
    if (devices == nullptr) {
        throw error.toolError("Could not list the devices");
    }
    std::vector<Device> list;
    for (size_t index = 0; index < count; ++index) {
        Device device = {larodGetDeviceName(devices[index], error.out()), 0};
        if (device.name == nullptr || !larodGetDeviceInstance(devices[index], &device.instance, error.out())) {
            throw error.toolError("Could not describe a device");
        }
        list.push_back(device);
    }
    return list;
}

}  // namespace

std::vector<std::string> deviceNames(larodConnection* conn) {
    std::vector<std::string> names;
    for (const Device& device : listDevices(conn)) {
        if (std::find(names.begin(), names.end(), device.name) == names.end()) {
            names.emplace_back(device.name);
        }
    }
    return names;
}

std::string deviceTable(larodConnection* conn) {
    const std::vector<Device> devices = listDevices(conn);
    std::string table = ruler("_");
    table += fmt::format(" {:<33}{}\n", "Name", "Instance");
    table += ruler("\u203e");  // the overline
    for (const Device& device : devices) {
        table += fmt::format(" {:<33}{}\n", device.name, device.instance);
    }
    return table + ruler("_");
}

}  // namespace larod::tools
