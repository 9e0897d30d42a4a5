// SPDX-License-Identifier: Apache-2.0
// What may be written to a person's terminal and nowhere else.
#include "larod-client/terminal_style.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

namespace larod::tools {

bool isTerminal(int fd) {
    const char* kind = std::getenv("TERM");
    return ::isatty(fd) == 1 && kind != nullptr && std::string_view(kind) != "dumb";
}

bool takesColours(int fd) {
    const char* forbidden = std::getenv("NO_COLOR");
    return isTerminal(fd) && (forbidden == nullptr || *forbidden == '\0');
}

std::string red(std::string_view text) {
    return fmt::format("\x1b[31m{}\x1b[0m", text);
}

std::string green(std::string_view text) {
    return fmt::format("\x1b[32m{}\x1b[0m", text);
}

}  // namespace larod::tools
