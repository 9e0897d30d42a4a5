// SPDX-License-Identifier: Apache-2.0
// What the command line asks for.
#include "larod-client/options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cstdint>
#include <system_error>

#include "larod-client/job_loop.h"
#include "larod-client/tool_error.h"

namespace larod::tools {

namespace {

// Decimal digits and nothing else. CLI11 itself would wrap -1 around, clip what is too large and read 010 as 8.
uint64_t parseNumber(const std::string& text) {
    uint64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc{} || rest != end) {
        throw CLI::ValidationError(fmt::format("'{}' is not a number from 0 to {}", text, UINT64_MAX));
    }
    return number;
}

template <typename Target>
CLI::Option* addNumber(CLI::App& app, const std::string& names, Target& target, const std::string& help) {
    return app
        .add_option_function<std::string>(
            names, [&target](const std::string& text) { target = parseNumber(text); }, help)
        ->type_name("NUMBER")
        ->take_last();
}

// An option that may stand several times and takes exactly one argument each time.
CLI::Option* addRepeatable(CLI::App& app, const std::string& names, std::vector<std::string>& values,
                           const std::string& help) {
    return app.add_option(names, values, help)->allow_extra_args(false)->take_all();
}

// In the order that CLI11 takes them in: the last one first. "--input=" becomes "--input" and an empty argument,
// because CLI11 would take the next argument as the value instead.
std::vector<std::string> cli11Arguments(int argc, const char* const* argv) {
    std::vector<std::string> arguments;
    for (int index = 1; index < argc; ++index) {
        std::string argument = argv[index];
        if (argument.size() > 3 && argument.starts_with("--") && argument.find('=') == argument.size() - 1) {
            argument.pop_back();
            arguments.push_back(argument);
            argument.clear();
        }
        arguments.push_back(argument);
    }
    std::reverse(arguments.begin(), arguments.end());
    return arguments;
}

}  // namespace

CommandLine parseCommandLine(int argc, const char* const* argv) {
    Options options;
    std::vector<std::string> modelParameters;
    bool privateAccess = false;

    CLI::App app("Loads a model into the larod service and runs jobs on it.", "larod-client");
    app.set_help_flag("-h,--help", "Print this text and exit");
    app.set_version_flag("--version", "larod-client " OPENLAROD_VERSION_STRING);
    app.footer(
        fmt::format("Exit status: 0 success, 1 failure, 2 wrong usage. LAROD_SOCKET names the socket of the service.\n"
                    "A load or job that is refused for want of power is repeated every {} ms, up to {} times.",
                    kPowerRetryInterval.count(), kMaxPowerRetries));

    std::vector<Action> actions;
    const auto addAction = [&](const std::string& names, Action action, const std::string& help) {
        app.add_flag_callback(
            names, [&actions, action] { actions.push_back(action); }, help);
    };
    std::optional<uint64_t> deletedModel;
    addAction("-a,--list-devices", Action::ListDevices, "List the devices of the service and exit");
    addAction("--list-models", Action::ListModels, "List the models of all sessions and exit");
    addAction("--num-sessions", Action::CountSessions,
              "Print how many sessions the service has, this one included, and exit");
    addNumber(app, "--delete-model", deletedModel, "Delete the model with this id (--list-models prints ids) and exit");
    addAction("--status", Action::ShowStatus,
              "Print what the service does, its sessions, models and devices, and exit. For root and the user that the "
              "service runs as");
    app.add_flag("--json", options.json, "With --status: JSON instead of tables");
    addRepeatable(app, "-b,--model-param", modelParameters,
                  "Model load parameter; repeatable. VALUE is an integer, two or four integers with commas, or text")
        ->type_name("KEY:VALUE");
    app.add_option("-c,--device", options.device, "Device to load the model on")->type_name("NAME")->take_last();
    app.add_flag("-d,--debug", options.debug,
                 "Print more: the tensors of the model, the time that loading took, and on stderr how the device gets "
                 "at each tensor (LAROD_DEBUG=1 does that for any program)");
    app.add_option("-g,--model", options.modelFile, "Model file; not needed for models described by -b alone")
        ->type_name("FILE")
        ->take_last();
    addRepeatable(app, "-i,--input", options.inputs,
                  "Input data, once per input tensor in order. An empty name is random data; a single -i '' fills all "
                  "inputs. Without any -i the model is only loaded")
        ->type_name("FILE");
    addRepeatable(app, "-o,--output", options.outputs,
                  "Output data, once per output tensor in order. Default: the name of the first input file, or the "
                  "random seed, with .out0, .out1 ... in the current folder")
        ->type_name("FILE");
    app.add_flag("-p,--private", privateAccess, "Load the model with private access (always so)");
    app.add_flag("-q,--async", options.async, "Queue the jobs so that the device always has work");
    addNumber(app, "-w,--warmup", options.warmUpRounds, "Jobs to run first and not to count");
    addNumber(app, "-R,--rounds", options.rounds, "Jobs to run; 0: until SIGINT or SIGTERM. Default 1");
    app.add_flag("-X,--track-inputs", options.trackInputs, "Track the input tensors");
    app.add_flag("-Y,--track-outputs", options.trackOutputs, "Track the output tensors");
    addNumber(app, "--random-seed", options.randomSeed, "Seed of the random inputs. Default: the system clock");

    try {
        app.parse(cli11Arguments(argc, argv));
    } catch (const CLI::CallForHelp&) {
        return app.help();
    } catch (const CLI::CallForVersion& version) {
        return std::string(version.what()) + "\n";
    } catch (const CLI::ParseError& error) {
        throw UsageError(error.what());
    }

    for (const std::string& parameter : modelParameters) {
        options.modelParameters.push_back(parseParameter(parameter));
    }
    if (deletedModel) {
        actions.push_back(Action::DeleteModel);
        options.modelId = *deletedModel;
    }
    if (actions.size() > 1) {
        throw UsageError(
            "more than one thing to do; -a, --list-models, --num-sessions, --delete-model and --status "
            "stand alone");
    }
    options.action = actions.empty() ? Action::Run : actions.front();
    if (options.json && options.action != Action::ShowStatus) {
        throw UsageError("--json belongs to --status");
    }
    if (options.action != Action::Run) {
        return options;
    }
    if (options.device.empty()) {
        throw UsageError("name a device with -c (-a lists them)");
    }
    if (options.modelFile.empty() && options.modelParameters.empty()) {
        throw UsageError("name a model file with -g, or describe a model with -b");
    }
    return options;
}

}  // namespace larod::tools
