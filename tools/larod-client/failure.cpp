// SPDX-License-Identifier: Apache-2.0
// What went wrong, as a line on stderr and an exit status.
#include "larod-client/failure.h"

#include <fmt/format.h>

#include <cerrno>
#include <exception>
#include <new>
#include <string_view>
#include <system_error>

#include "larod-client/stamped_output.h"
#include "larod-client/tool_error.h"

namespace larod::tools {

namespace {

void printWithCode(std::string_view text, int code) {
    printError(fmt::format("{} ({})", text, code));
}

}  // namespace

ExitStatus reportFailure() noexcept {
    try {
        throw;
    } catch (const UsageError& error) {
        printWithCode(fmt::format("{}; --help explains", error.what()), error.code());
        return kUsage;
    } catch (const ToolError& error) {
        printWithCode(error.what(), error.code());
    } catch (const std::system_error& error) {
        printWithCode(error.what(), error.code().value());
    } catch (const std::bad_alloc&) {
        printWithCode("There is not enough memory", ENOMEM);
    } catch (const std::exception& error) {
        printWithCode(error.what(), ENOTRECOVERABLE);  // nothing that is expected
    }
    return kFailure;
}

}  // namespace larod::tools
