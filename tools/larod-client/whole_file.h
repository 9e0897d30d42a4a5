// SPDX-License-Identifier: Apache-2.0
// Files that are read at once.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace larod::tools {

// Throws ToolError, e.g. for a directory.
[[nodiscard]] std::vector<std::byte> readWholeFile(const std::string& name);

// Without their ends ("\n" or "\r\n"). Throws ToolError.
[[nodiscard]] std::vector<std::string> readLines(const std::string& name);

}  // namespace larod::tools
