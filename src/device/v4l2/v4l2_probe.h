// SPDX-License-Identifier: Apache-2.0
// Which nodes of a machine are converters.
#pragma once

#include <string>
#include <vector>

#include "device/v4l2/v4l2_node.h"

namespace larod::device::v4l2 {

// A converter that was found. Node numbers move: driver and bus say whether it is still the same.
struct NodeInfo {
    std::string path;
    std::string driver;
    std::string card;
    std::string bus;
    bool multiPlanar = false;
};

// Throws Error(LAROD_ERROR_LOAD_MODEL) that says why it is none: no memory-to-memory device, a codec, no format that
// larod has, no dma-bufs.
[[nodiscard]] NodeInfo probe(Node& node, const std::string& path);

// Nodes of that folder that can be converters, in the order of their numbers.
[[nodiscard]] std::vector<std::string> videoNodes(const std::string& folder = "/dev");

}  // namespace larod::device::v4l2
