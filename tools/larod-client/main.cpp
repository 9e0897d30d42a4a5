// SPDX-License-Identifier: Apache-2.0
// larod-client: loads a model into the larod service, runs jobs on it, prints how long they take.
#include <fmt/format.h>

#include <cstdlib>
#include <exception>

#include "larod-client/interactive.h"
#include "larod-client/options.h"
#include "larod-client/session.h"
#include "larod-client/stamped_output.h"
#include "larod-client/tool_error.h"

namespace larod::tools {

namespace {

enum ExitStatus { kSuccess = 0, kFailure = 1, kUsage = 2 };

ExitStatus run(const Options& options) {
    if (options.debug) {
        ::setenv("LAROD_DEBUG", "1", 1);  // for the library
    }
    if (options.action == Action::Interact) {
        return runInteractive() ? kSuccess : kFailure;
    }
    Session(Session::Kind::OneCommand).execute(options);
    return kSuccess;
}

}  // namespace

}  // namespace larod::tools

int main(int argc, char** argv) {
    using namespace larod::tools;
    try {
        const CommandLine commandLine = parseCommandLine({argv + (argc > 0 ? 1 : 0), argv + argc});
        if (const auto* text = std::get_if<std::string>(&commandLine)) {
            printPlain(*text);
            return kSuccess;
        }
        return run(std::get<Options>(commandLine));
    } catch (const UsageError& error) {
        printError(fmt::format("{} (--help explains)", error.what()));
        return kUsage;
    } catch (const ToolError& error) {
        printError(fmt::format("{} ({})", error.what(), error.code()));
    } catch (const std::exception& error) {
        printError(error.what());
    }
    return kFailure;
}
