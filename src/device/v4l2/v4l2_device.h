// SPDX-License-Identifier: Apache-2.0
// v4l2-proc: crops, scales and converts images with the converter that most systems on a chip have. It takes dma-bufs
// itself: nobody maps them. docs/preprocessing.md has its parameters.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "device/device.h"
#include "device/v4l2/v4l2_probe.h"
#include "device/v4l2_choice.h"

namespace larod::device {

// The converters of this machine that were chosen, instances 0, 1, ... in the order of their nodes, or in that in which
// they were named. A named one that is missing or no converter is told in the log, with the reason.
[[nodiscard]] std::vector<std::unique_ptr<Device>> makeV4l2Devices(const V4l2Choice& choice);

namespace v4l2 {

// Makes a node of a descriptor; tests make others.
using NodeMaker = std::function<std::unique_ptr<Node>(UniqueFd)>;

[[nodiscard]] std::unique_ptr<Device> makeDevice(NodeInfo info, uint32_t instance, uint64_t jobTimeoutMs,
                                                 NodeMaker maker = makeNode);

}  // namespace v4l2

}  // namespace larod::device
