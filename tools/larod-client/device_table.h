// SPDX-License-Identifier: Apache-2.0
// The table of devices that -a prints.
#pragma once

#include <string>
#include <vector>

#include "larod.h"

namespace larod::tools {

// Each name once, in the order of the list. Throws ToolError.
[[nodiscard]] std::vector<std::string> deviceNames(larodConnection* conn);

// The table with its rulers. Throws ToolError.
[[nodiscard]] std::string deviceTable(larodConnection* conn);

}  // namespace larod::tools
