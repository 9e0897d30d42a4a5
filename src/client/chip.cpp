// SPDX-License-Identifier: Apache-2.0
#define LAROD_API_VERSION_2
#include "client/chip.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <span>

#include "base/error.h"

namespace larod::client {
namespace {

struct Chip {
    larodChip chip;
    const char* name;
    bool networks;
    std::array<std::string_view, 3> devices;  // in the order of preference; the rest is empty
};

// devices.md 5. The camera's own documents name the image engine in two ways.
constexpr Chip kChips[] = {
    {LAROD_CHIP_DEBUG, "Debug", false, {"debug-device"}},
    {LAROD_CHIP_TFLITE_CPU, "TFLite CPU", true, {"cpu-tflite"}},
    {LAROD_CHIP_TPU, "Google TPU", true, {"google-edge-tpu-tflite"}},
    {LAROD_CHIP_CVFLOW_NN, "CVFlow NN", true, {"ambarella-cvflow"}},
    {LAROD_CHIP_TFLITE_GLGPU, "TFLite GPU", true, {"gpu-tflite"}},
    {LAROD_CHIP_CVFLOW_PROC, "CVFlow proc", false, {"ambarella-cvflow-proc"}},
    {LAROD_CHIP_ACE, "ACE", false, {"axis-ace-proc", "axis-a8-ace-proc"}},
    {LAROD_CHIP_LIBYUV, "libyuv", false, {"cpu-proc"}},
    {LAROD_CHIP_TFLITE_ARTPEC8DLPU, "TFLite ARTPEC-8 DLPU", true, {"axis-a8-dlpu-tflite"}},
    {LAROD_CHIP_OPENCL, "OpenCL", false, {"axis-a8-gpu-proc", "axis-a8-dlpu-proc", "axis-a7-gpu-proc"}},
};

const Chip* find(larodChip chip) noexcept {
    const auto* const found = std::ranges::find(kChips, chip, &Chip::chip);
    return found == std::end(kChips) ? nullptr : found;
}

std::span<const std::string_view> deviceNames(const Chip& chip) noexcept {
    const auto end = std::ranges::find(chip.devices, std::string_view());
    return {chip.devices.begin(), end};
}

}  // namespace

larodChip chipOfDevice(std::string_view deviceName) noexcept {
    for (const Chip& chip : kChips) {
        if (std::ranges::count(deviceNames(chip), deviceName) > 0) {
            return chip.chip;
        }
    }
    return LAROD_CHIP_INVALID;
}

bool runsNetworks(larodChip chip) noexcept {
    const Chip* found = find(chip);
    return found != nullptr && found->networks;
}

const char* chipName(larodChip chip) noexcept {
    if (chip == LAROD_CHIP_INVALID) {
        return "Invalid";
    }
    const Chip* found = find(chip);
    return found != nullptr ? found->name : "Unknown";
}

const larodDevice& deviceOfChip(const std::vector<larodDevice>& devices, larodChip chip) {
    if (const Chip* found = find(chip); found != nullptr) {
        for (const std::string_view name : deviceNames(*found)) {
            const auto device = std::ranges::find_if(
                devices, [name](const larodDevice& other) { return other.name == name && other.instance == 0; });
            if (device != devices.end()) {
                return *device;
            }
        }
    }
    throwNoDeviceOfChip(chip);
}

void throwNoDeviceOfChip(larodChip chip) {
    const Chip* found = find(chip);
    if (found == nullptr) {
        throw Error(LAROD_ERROR_INVALID_CHIP_ID, "{} is not the number of a chip", static_cast<int>(chip));
    }
    throw Error(LAROD_ERROR_INVALID_CHIP_ID, "chip {} ({}) needs device {}, which the service does not have",
                static_cast<int>(chip), found->name, fmt::join(deviceNames(*found), " or "));
}

}  // namespace larod::client
