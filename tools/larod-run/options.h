// SPDX-License-Identifier: Apache-2.0
// What the command line of larod-run asks for.
#pragma once

#include <string>
#include <variant>
#include <vector>

namespace larod::tools {

struct RunOptions {
    std::string service;                        // the program; without a slash it is searched in PATH
    std::vector<std::string> serviceArguments;  // passed on, without --socket
    std::vector<std::string> command;           // at least its name
};

// The options, or the text of --help or --version, to be printed instead of a run.
using RunCommandLine = std::variant<RunOptions, std::string>;

// Throws RunError. The service's program is, in this order: --service, LAROD_SERVICE, `larod` beside the running
// program, `larod` in PATH.
[[nodiscard]] RunCommandLine parseRunCommandLine(int argc, const char* const* argv);

}  // namespace larod::tools
