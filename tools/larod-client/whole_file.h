// SPDX-License-Identifier: Apache-2.0
// Files that are read or written at once.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace larod::tools {

// Of at most `mostBytes`. Throws ToolError, e.g. for a directory, or for a device that has no end.
[[nodiscard]] std::vector<std::byte> readWholeFile(const std::string& name, size_t mostBytes);

// Millions of them.
inline constexpr size_t kMaxTextBytes = 256 * 1024 * 1024;

// Without their ends ("\n" or "\r\n"). Throws ToolError, e.g. for more than kMaxTextBytes.
[[nodiscard]] std::vector<std::string> readLines(const std::string& name);

// In place of what was there. Throws ToolError.
void writeWholeFile(const std::string& name, const std::string& text);

}  // namespace larod::tools
