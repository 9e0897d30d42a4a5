// SPDX-License-Identifier: Apache-2.0
// The exit statuses of larod-run, and its one exception type, which carries one.
#include "larod-run/run_error.h"

#include <cerrno>
#include <system_error>

namespace larod::tools {

RunError errnoError(std::string text) {
    const int errnum = errno;
    return {kExitOwnFailure, std::move(text) + ": " + std::generic_category().message(errnum)};
}

}  // namespace larod::tools
