// SPDX-License-Identifier: Apache-2.0
// The tool's exceptions, and the step from a larod call's result to it.
#include "larod-client/tool_error.h"

#include <cerrno>
#include <system_error>

namespace larod::tools {

ToolError errnoError(std::string_view what) {
    const int errnum = errno;
    return {errnum, fmt::format("{}: {}", what, std::generic_category().message(errnum))};
}

ToolError LarodError::toolError(std::string_view what) const {
    return {code(), fmt::format("{}: {}", what, error_ != nullptr ? error_->msg : "no reason given")};
}

}  // namespace larod::tools
