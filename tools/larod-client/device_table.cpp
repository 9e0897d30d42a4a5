// SPDX-License-Identifier: Apache-2.0
// The table of devices that -a prints.
#include "larod-client/device_table.h"

#include <fmt/format.h>

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

}  // namespace

std::string deviceTable(larodConnection* conn) {
    LarodError error;
    size_t count = 0;
    const larodDevice** devices = larodListDevices(conn, &count, error.out());
    if (devices == nullptr) {
        throw error.toolError("Could not list the devices");
    }
    std::string table = ruler("_");
    table += fmt::format(" {:<33}{}\n", "Name", "Instance");
    table += ruler("\u203e");  // the overline
    for (size_t index = 0; index < count; ++index) {
        const char* name = larodGetDeviceName(devices[index], error.out());
        uint32_t instance = 0;
        if (name == nullptr || !larodGetDeviceInstance(devices[index], &instance, error.out())) {
            throw error.toolError("Could not describe a device");
        }
        table += fmt::format(" {:<33}{}\n", name, instance);
    }
    return table + ruler("_");
}

}  // namespace larod::tools
