// SPDX-License-Identifier: Apache-2.0
// The lines of the tool: a time stamp, a blank, the text.
#pragma once

#include <string_view>

namespace larod::tools {

// Prints "YYYY-MM-DDTHH:MM:SS.mmm text" (local time) on stdout and flushes, so that a pipe's reader sees each line at
// its time. Throws ToolError when stdout cannot take it (a full disk), because scripts parse what is there.
void printStamped(std::string_view text);

// Prints `text`, which brings its own line ends, as it is.
void printPlain(std::string_view text);

// Prints "YYYY-MM-DDTHH:MM:SS.mmm text" on stderr.
void printNotice(std::string_view text);

// Prints "YYYY-MM-DDTHH:MM:SS.mmm ERROR: text" on stderr, as one line.
void printError(std::string_view text);

}  // namespace larod::tools
