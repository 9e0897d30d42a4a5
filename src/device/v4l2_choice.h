// SPDX-License-Identifier: Apache-2.0
// Which V4L2 converters become devices.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace larod::device {

// The list of all devices is limited, and a machine has a handful of these.
inline constexpr size_t kMaxV4l2Devices = 16;

struct V4l2Choice {
    bool search = true;                   // all of the machine; else `nodes`
    std::vector<std::string> nodes = {};  // paths
    uint64_t jobTimeoutMs = 2'000;        // for which the hardware may take for a job, jobs of other programs included
};

}  // namespace larod::device
