// SPDX-License-Identifier: Apache-2.0
// A device that presents another one, its target, under a name of its own: programs have the names of a product's
// devices compiled in, and run where that hardware is not.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "device/device.h"
#include "device/image_limits.h"

namespace larod::device {

// What of its target a stand-in shows. Without any it is a further name of the target. Refers to memory that outlives
// it, as the tables of profiles do.
struct StandInLimits {
    // The fd properties that its clients may use; the target's where there are none. READWRITE and MAP only where the
    // target has them.
    std::optional<Capabilities> capabilities = std::nullopt;

    // Integer load parameters that the device has and its target has not: without effect, and not passed on.
    std::span<const std::string_view> loadSwitches = {};

    // Not 0: images of networks are planar, their rows padded to this many bytes (planar_model.h).
    size_t planarRowMultiple = 0;

    // Of networks: whether they may be loaded with `image.` parameters (fused_device.h), which no product has.
    bool fused = true;

    // Of devices that load image descriptions.
    std::optional<ImageLimits> image = std::nullopt;
};

// A device `name`, instance 0, whose jobs `target` runs. `target` outlives the device, and was warmed up. Models of
// the two are the target's: where both load or run at a time, that is two calls of the target at a time, so whoever
// gives devices their turns and queues goes by Device::target().
[[nodiscard]] std::unique_ptr<Device> makeStandIn(std::string name, Device& target, StandInLimits limits = {});

}  // namespace larod::device
