// SPDX-License-Identifier: Apache-2.0
#include "service/options.h"

#include <sched.h>

#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <map>

#include "base/error.h"
#include "larod-version.h"
#include "service/config_file.h"
#include "service/device_choice.h"
#include "service/settings.h"
#include "wire/channel.h"

namespace larod::service {
namespace {

constexpr int kExitWrongUse = 2;

// The cores that this process may run on.
unsigned usableCores() {
    cpu_set_t set;
    CPU_ZERO(&set);
    return ::sched_getaffinity(0, sizeof(set), &set) == 0 ? static_cast<unsigned>(std::max(CPU_COUNT(&set), 1)) : 1;
}

std::string placeholder(const Setting& setting) {
    const auto* words = std::get_if<Words>(&setting.domain);
    return words != nullptr ? fmt::format("{}", fmt::join(*words, "|")) : std::string(setting.placeholder);
}

std::string describe(const Setting& setting) {
    const bool number = std::holds_alternative<NumberRange>(setting.domain);
    return fmt::format("{}{}", setting.description, number ? ": " + expectation(setting) : "");
}

void applyArgument(const Setting& setting, const std::string& argument, Options& options) {
    SettingValue value = argument;
    if (std::holds_alternative<NumberRange>(setting.domain)) {
        int64_t number = 0;
        const char* end = argument.data() + argument.size();
        const auto [stopped, error] = std::from_chars(argument.data(), end, number);
        if (error == std::errc() && stopped == end) {
            value = number;
        }
    }
    if (!fits(setting, value)) {
        throw Error(EINVAL, "--{}: expected {}, got '{}'", setting.name, expectation(setting), argument);
    }
    try {
        setting.set(options, value);
    } catch (const Error& error) {
        throw Error(error.code(), "--{}: {}", setting.name, error.text());
    }
}

// The file that was named must be there; the one that is read by itself may be absent.
void applyFile(const std::string& named, const std::string& byDefault, Options& options) {
    const std::string& path = named.empty() ? byDefault : named;
    std::string text;
    try {
        text = readConfigFile(path);
    } catch (const Error& error) {
        if (named.empty() && (error.code() == ENOENT || error.code() == ENOTDIR)) {
            return;
        }
        throw;
    }
    applyConfig(path, text, options);
}

}  // namespace

std::optional<Options> parseOptions(int argc, char** argv, int& exitStatus, const std::string& defaultConfigPath) {
    Options options;
    options.socketPath = wire::defaultSocketPath();
    options.threads = usableCores();

    CLI::App app(
        "larod: runs machine-learning and image jobs of many clients on the devices of this machine.\n"
        "It stays in the foreground, prints one line when it is ready, and ends with Ctrl-C or SIGTERM.");
    app.name("larod");
    std::map<const Setting*, std::string> arguments;
    std::string configPath;
    app.add_option("--config", configPath,
                   "Configuration file: TOML, with the long options below as keys (threads = 2). What is given here "
                   "wins over the file. Without this option: " +
                       defaultConfigPath + ", if it is there")
        ->type_name("FILE")
        ->take_last();
    for (const Setting& setting : settings()) {
        app.add_option_function<std::string>(
               "--" + std::string(setting.name),
               [&arguments, &setting](const std::string& argument) { arguments[&setting] = argument; },
               describe(setting))
            ->type_name(placeholder(setting))
            ->default_str(valueText(setting.get(options)))
            ->take_last();
    }
    app.set_version_flag("--version", "larod " OPENLAROD_VERSION_STRING " (interface " LAROD_VERSION_STRING ")");
    try {
        app.parse(argc, argv);
        if (app.count("--config") > 0 && configPath.empty()) {
            throw Error(EINVAL, "--config: expected a file's name; /dev/null is a file without settings");
        }
        applyFile(configPath, defaultConfigPath, options);
        options.socketPath = wire::defaultSocketPath(options.socketPath);
        for (const auto& [setting, argument] : arguments) {
            applyArgument(*setting, argument, options);
        }
        checkDeviceChoice(options.devices);
    } catch (const CLI::Success& help) {
        exitStatus = app.exit(help);
        return std::nullopt;
    } catch (const CLI::ParseError& error) {
        std::fprintf(stderr, "larod: %s (--help explains)\n", error.what());
        exitStatus = kExitWrongUse;
        return std::nullopt;
    } catch (const Error& error) {
        std::fprintf(stderr, "larod: %s\n", error.what());
        exitStatus = kExitWrongUse;
        return std::nullopt;
    }
    return options;
}

}  // namespace larod::service
