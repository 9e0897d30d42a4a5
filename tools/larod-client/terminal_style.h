// SPDX-License-Identifier: Apache-2.0
// What may be written to a person's terminal and nowhere else.
#pragma once

#include <string>
#include <string_view>

namespace larod::tools {

// To the beginning of the line, and the rest of it away.
inline constexpr std::string_view kClearLine = "\r\x1b[K";

// Whether the stream is a terminal that can move its cursor.
[[nodiscard]] bool isTerminal(int fd);

// Whether it takes colours, too, and NO_COLOR does not forbid them.
[[nodiscard]] bool takesColours(int fd);

[[nodiscard]] std::string red(std::string_view text);
[[nodiscard]] std::string green(std::string_view text);

}  // namespace larod::tools
