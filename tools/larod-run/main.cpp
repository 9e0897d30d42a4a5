// SPDX-License-Identifier: Apache-2.0
// larod-run: a private larod service on its own socket for one command.
//
//     larod-run ── fork ──> larod --socket DIR/larod.sock     process group of its own
//        └────── fork ──> COMMAND, LAROD_SOCKET=...           larod-run's group: the terminal's signals reach both
//
// Whoever dies, the others follow: larod-run ends the service when the command has ended, and when larod-run itself is
// killed the kernel sends SIGTERM to both (PR_SET_PDEATHSIG). The service removes its socket and folder.
#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <exception>

#include "larod-run/child_process.h"
#include "larod-run/options.h"
#include "larod-run/private_service.h"
#include "larod-run/run_error.h"
#include "larod-run/signals.h"
#include "larod-run/wait.h"

namespace larod::tools {

namespace {

int exitStatus(const ChildEnd& end) {
    return end.signaled ? kExitSignalBase + end.value : end.value;
}

// Waits for the command's end.
ChildEnd watch(ChildProcess& command, PrivateService& service, const Signals& signals) {
    bool serviceRuns = true;
    while (true) {
        const auto [commandEnded, serviceEnded, printed, signaled] = waitReadable(
            {command.pidFd(), serviceRuns ? service.pidFd() : -1, service.stdoutFd(), signals.fd()}, std::nullopt);
        if (signaled) {
            const signalfd_siginfo info = signals.take();
            // One that the kernel sent came from the terminal and went to the whole group, the command included.
            if (info.ssi_signo != 0 && info.ssi_code != SI_KERNEL) {
                command.sendSignal(static_cast<int>(info.ssi_signo));
            }
        }
        if (printed) {
            service.dropOutput();
        }
        if (commandEnded) {
            return command.reap();
        }
        if (serviceEnded) {
            serviceRuns = false;
            fmt::print(stderr, "larod-run: the service {}; the command goes on without it\n",
                       describe(service.takeEnd()));
        }
    }
}

int run(const RunOptions& options) {
    const Signals signals;
    PrivateService service(options.service, options.serviceArguments, signals);
    ChildSetup setup;
    setup.arguments = options.command;
    setup.larodSocket = service.socket();
    ChildProcess command(setup, signals);
    return exitStatus(watch(command, service, signals));
}

}  // namespace

}  // namespace larod::tools

int main(int argc, char** argv) {
    using namespace larod::tools;
    try {
        const RunCommandLine commandLine = parseRunCommandLine(argc, argv);
        if (const auto* text = std::get_if<std::string>(&commandLine)) {
            fmt::print("{}", *text);
            return 0;
        }
        return run(std::get<RunOptions>(commandLine));
    } catch (const RunError& error) {
        fmt::print(stderr, "larod-run: {}\n", error.what());
        return error.exitStatus();
    } catch (const std::exception& error) {
        fmt::print(stderr, "larod-run: {}\n", error.what());
        return kExitOwnFailure;
    }
}
