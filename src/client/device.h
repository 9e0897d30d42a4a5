// SPDX-License-Identifier: Apache-2.0
// What stands behind a larodDevice: one entry of the list that came with the connection, which owns it.
#pragma once

#include <cstdint>
#include <string>

#include "larod.h"

struct larodDevice {
    std::string name;
    uint32_t instance = 0;
    uint32_t index = 0;      // its name on the wire
    bool takesFile = false;  // models are files that it takes as they are
};
