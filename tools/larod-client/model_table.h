// SPDX-License-Identifier: Apache-2.0
// The table of models that --list-models prints.
#pragma once

#include <string>

#include "larod.h"

namespace larod::tools {

// Throws ToolError.
[[nodiscard]] std::string modelTable(larodConnection* conn);

// "private", "public", "user-protected"; "unknown" for anything else.
[[nodiscard]] const char* accessText(larodAccess access) noexcept;

}  // namespace larod::tools
