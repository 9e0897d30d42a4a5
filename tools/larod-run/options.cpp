// SPDX-License-Identifier: Apache-2.0
// What the command line of larod-run asks for.
#include "larod-run/options.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string_view>
#include <system_error>

#include "larod-run/run_error.h"
#include "larod-version.h"

namespace larod::tools {

namespace {

// CLI11 knows nothing of what follows "--".
class UsageFormatter : public CLI::Formatter {
  public:
    std::string make_usage(const CLI::App*, std::string) const override {
        return "Usage: larod-run [OPTIONS] -- COMMAND [ARGUMENT...]\n";
    }
};

std::string defaultService() {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): larod-run has one thread
    if (const char* named = std::getenv("LAROD_SERVICE"); named != nullptr && *named != '\0') {
        return named;
    }
    std::error_code error;
    const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
    if (!error) {
        const std::filesystem::path beside = self.parent_path() / "larod";
        if (::access(beside.c_str(), X_OK) == 0 && !std::filesystem::is_directory(beside, error)) {
            return beside;
        }
    }
    return "larod";
}

}  // namespace

RunCommandLine parseRunCommandLine(int argc, const char* const* argv) {
    // The first "--" ends what belongs to larod-run; all that follows is the command's, further "--" included.
    int ownEnd = 1;
    while (ownEnd < argc && std::string_view(argv[ownEnd]) != "--") {
        ++ownEnd;
    }

    RunOptions options;
    std::string config;
    std::string threads;
    std::string logLevel;
    std::string sandbox;
    std::string profile;
    std::string powerConfig;
    CLI::App app("Runs COMMAND with a larod service of its own, which ends with the command.", "larod-run");
    app.formatter(std::make_shared<UsageFormatter>());
    app.set_help_flag("-h,--help", "Print this text and exit");
    app.set_version_flag("--version", "larod-run " OPENLAROD_VERSION_STRING);
    app.add_option("--service", options.service,
                   "The service's program. Default: LAROD_SERVICE, or larod beside larod-run, or larod in PATH")
        ->type_name("PROGRAM");
    app.add_option("--config", config,
                   "The service's configuration file. Default: none, not even the one of the machine's own service")
        ->type_name("FILE");
    app.add_option("--threads", threads, "Passed on to the service")->type_name("N");
    app.add_option("--log-level", logLevel, "Passed on to the service")->type_name("LEVEL");
    app.add_option("--sandbox", sandbox, "Passed on to the service")->type_name("X");
    app.add_option("--profile", profile, "Passed on to the service: the product whose devices it lists")
        ->type_name("NAME");
    app.add_option("--power-config", powerConfig, "Passed on to the service: a JSON file with watts and their budget")
        ->type_name("FILE");
    app.footer(
        "The command finds its service by LAROD_SOCKET. Exit status: that of the command, 128 plus the number of the\n"
        "signal that ended it, 127 when there is no such command, 126 when it can't be executed, 125 when larod-run "
        "or\n"
        "the service fails before the command is started.");
    try {
        app.parse(ownEnd, argv);
    } catch (const CLI::CallForHelp&) {
        return app.help();
    } catch (const CLI::CallForVersion& version) {
        return std::string(version.what()) + "\n";
    } catch (const CLI::ExtrasError& error) {
        throw RunError(kExitOwnFailure, std::string(error.what()) +
                                            "; the command stands after --: larod-run -- COMMAND (--help explains)");
    } catch (const CLI::ParseError& error) {
        throw RunError(kExitOwnFailure, std::string(error.what()) + " (--help explains)");
    }

    options.serviceArguments = {"--config", app.count("--config") > 0 ? config : "/dev/null"};
    for (const auto& [name, value] : {std::pair{"--threads", &threads},
                                      {"--log-level", &logLevel},
                                      {"--sandbox", &sandbox},
                                      {"--profile", &profile},
                                      {"--power-config", &powerConfig}}) {
        if (app.count(name) > 0) {
            options.serviceArguments.insert(options.serviceArguments.end(), {name, *value});
        }
    }
    if (ownEnd + 1 >= argc) {
        throw RunError(kExitOwnFailure, "name a command after --: larod-run -- COMMAND (--help explains)");
    }
    options.command.assign(argv + ownEnd + 1, argv + argc);
    if (options.service.empty()) {
        options.service = defaultService();
    }
    return options;
}

}  // namespace larod::tools
