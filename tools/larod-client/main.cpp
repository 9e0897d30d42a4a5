// SPDX-License-Identifier: Apache-2.0
// larod-client: loads a model into the larod service, runs jobs on it, prints how long they take.
#include <cstdlib>

#include "larod-client/failure.h"
#include "larod-client/interactive.h"
#include "larod-client/options.h"
#include "larod-client/session.h"
#include "larod-client/stamped_output.h"

namespace larod::tools {

namespace {

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
    } catch (...) {
        return reportFailure();
    }
}
