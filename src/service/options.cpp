// SPDX-License-Identifier: Apache-2.0
#include "service/options.h"

#include <sched.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "larod-version.h"
#include "wire/channel.h"

namespace larod::service {
namespace {

// The cores that this process may run on.
unsigned usableCores() {
    cpu_set_t set;
    CPU_ZERO(&set);
    return ::sched_getaffinity(0, sizeof(set), &set) == 0 ? static_cast<unsigned>(std::max(CPU_COUNT(&set), 1)) : 1;
}

}  // namespace

std::optional<Options> parseOptions(int argc, char** argv, int& exitStatus) {
    Options options;
    options.socketPath = wire::defaultSocketPath();
    options.threads = usableCores();
    std::string sandbox = "on";

    CLI::App app(
        "larod: runs machine-learning and image jobs of many clients on the devices of this machine.\n"
        "It stays in the foreground, prints one line when it is ready, and ends with Ctrl-C or SIGTERM.");
    app.name("larod");
    app.add_option(
           "--socket", options.socketPath,
           "Socket that clients connect to; also LAROD_SOCKET. A missing directory is created, and removed at the end")
        ->type_name("PATH")
        ->capture_default_str();
    app.add_option("--threads", options.threads, "Threads of the CPU engine for one job")
        ->type_name("N")
        ->check(CLI::Range(1, 1024))
        ->capture_default_str();
    app.add_option(
           "--job-limit", options.jobLimitMs,
           "Milliseconds for which a job may keep a device while other clients wait; its session is ended after that")
        ->type_name("MS")
        ->check(CLI::Range(1, 3'600'000))
        ->capture_default_str();
    app.add_option("--log-level", options.logLevel, "What goes to the log on stderr")
        ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error", "off"}))
        ->capture_default_str();
    app.add_option("--sandbox", sandbox, "System call filter of the sessions; 'off' is for sanitizers and debuggers")
        ->check(CLI::IsMember({"on", "off"}))
        ->capture_default_str();
    app.set_version_flag("--version", "larod " OPENLAROD_VERSION_STRING " (interface " LAROD_VERSION_STRING ")");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        exitStatus = app.exit(error) == 0 ? 0 : 2;
        return std::nullopt;
    }
    options.sandbox = sandbox == "on" ? SandboxMode::On : SandboxMode::Off;
    return options;
}

}  // namespace larod::service
