// SPDX-License-Identifier: Apache-2.0
// The table of devices that -a prints.
#pragma once

#include <string>

#include "larod.h"

namespace larod::tools {

// The table with its rulers. Throws ToolError.
[[nodiscard]] std::string deviceTable(larodConnection* conn);

}  // namespace larod::tools
