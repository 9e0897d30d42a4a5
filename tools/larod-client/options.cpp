// SPDX-License-Identifier: Apache-2.0
// What a command line asks for.
#include "larod-client/options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>

#include "larod-client/line_source.h"
#include "larod-client/option_group.h"
#include "larod-client/power_wait.h"
#include "larod-client/tool_error.h"

namespace larod::tools {

namespace {

constexpr const char* kProgram = "larod-client";
constexpr const char* kPurpose = "Loads a model into the larod service and runs jobs on it.";
constexpr const char* kExamples = R"(Examples:
  larod-client -a
  larod-client -c cpu-tflite -g model.tflite -i input.bin -o output.bin
  larod-client -c cpu-tflite -g model.tflite -i '' -R 1000 -w 5
  larod-client -c cpu-tflite -g model.tflite -i '' -R 0 -q -X -Y
  larod-client -c cpu-proc -b image.input.format:nv12 -b image.input.size:1920,1080
               -b image.output.format:rgb-interleaved -b image.output.size:300,300
               -i frame.nv12 -o picture.rgb
)";

// What the command line says as it stands there.
struct Arguments {
    Options options;
    std::vector<Action> actions;
    std::vector<std::string> modelParameters;
    std::vector<std::string> jobParameters;
    std::vector<std::string> allocParameters;
    bool privateAccess = false;
};

// In the order that CLI11 takes them in: the last one first. "--input=" becomes "--input" and an empty argument,
// because CLI11 would take the next argument as the value instead.
std::vector<std::string> cli11Arguments(const std::vector<std::string>& arguments) {
    std::vector<std::string> result;
    for (const std::string& argument : arguments) {
        if (argument.size() > 3 && argument.starts_with("--") && argument.find('=') == argument.size() - 1) {
            result.push_back(argument.substr(0, argument.size() - 1));
            result.emplace_back();
        } else {
            result.push_back(argument);
        }
    }
    std::reverse(result.begin(), result.end());
    return result;
}

void addActions(CLI::App& app, Arguments& arguments) {
    OptionGroup group(app, "Other things to do than running a model, one at a time");
    const auto add = [&](const std::string& names, Action action, const std::string& help) {
        group.callback(
            names, [&arguments, action] { arguments.actions.push_back(action); }, help);
    };
    add("--model-info", Action::ShowModel,
        "Load the model and print its inputs and outputs: types, sizes, and from a .tflite file how they are "
        "quantised");
    add("-a,--list-devices", Action::ListDevices, "List the devices of the service");
    add("--list-models", Action::ListModels, "List the models of all sessions");
    group.value("--delete-model", "ID", "Delete the model with this id, which --list-models prints",
                [&arguments](const std::string& text) {
                    arguments.options.deletedModel = OptionGroup::parseNumber(text, 0, UINT64_MAX);
                    arguments.actions.push_back(Action::DeleteModel);
                });
    add("--num-sessions", Action::CountSessions, "Print how many sessions the service has, this one included");
    add("--status", Action::ShowStatus,
        "Print what the service does, its sessions, models and devices. For root and the user that the service runs "
        "as");
    if (hasLineEditor()) {
        add("-r,--interactive", Action::Interact,
            "Read command lines from stdin, over one connection; models stay loaded meanwhile");
    }
}

void addModelOptions(CLI::App& app, Arguments& arguments) {
    OptionGroup group(app, "Model");
    ModelOptions& model = arguments.options.model;
    group.text("-c,--device", model.device, "NAME", "Device to load the model on");
    group.number("--instance", model.instance, "Which of the devices with this name. Default 0", UINT32_MAX);
    group.text("-g,--model", model.file, "FILE", "Model file; not needed for models described by -b alone");
    group.texts("-b,--model-param", arguments.modelParameters, "KEY:VALUE",
                "Model load parameter; repeatable. VALUE is an integer, two or four integers with commas, or text");
    group.number("--model-id", model.id, "A model that is loaded already, instead of -c, -g and -b");
    group.flag("-p,--private", arguments.privateAccess, "Load the model for this session alone (default)");
    group.flag("--public", model.isPublic, "Load it for all sessions; it stays when the tool ends");
}

void addTensorOptions(CLI::App& app, Arguments& arguments) {
    OptionGroup group(app, "Inputs and outputs");
    TensorOptions& tensors = arguments.options.tensors;
    group.texts("-i,--input", tensors.inputs, "FILE",
                "Input data, once per input tensor in order. An empty name is random data; a single -i '' fills all "
                "inputs. Without any -i the model is only loaded");
    group.texts("-o,--output", tensors.outputs, "FILE",
                "Output data, once per output tensor in order. Default: the name of the first input file, or the "
                "random seed, with .out0, .out1 ... in the current folder");
    group.number("--random-seed", tensors.randomSeed, "Seed of the random inputs. Default: the system clock");
    const auto takeType = [](BufferType& type) {
        return [&type](const std::string& text) { type = parseBufferType(text); };
    };
    group.value("-I,--input-buf-type", "TYPE",
                "Buffers of the inputs. ext-disk: the files themselves (default). larod-disk, larod-dma: memory or "
                "dma-bufs of the service. ext-dma: dma-bufs of this tool",
                takeType(tensors.inputBuffers));
    group.value("-O,--output-buf-type", "TYPE", "Buffers of the outputs, as for -I", takeType(tensors.outputBuffers));
    group.texts("--alloc-param", arguments.allocParameters, "KEY:VALUE",
                "Parameter for the allocation of buffers by the service; repeatable; VALUE as for -b");
    group.flag("-X,--track-inputs", tensors.trackInputs, "Track the input tensors");
    group.flag("-Y,--track-outputs", tensors.trackOutputs, "Track the output tensors");
}

void addJobOptions(CLI::App& app, Arguments& arguments) {
    OptionGroup group(app, "Jobs");
    JobOptions& jobs = arguments.options.jobs;
    group.number("-R,--rounds", jobs.rounds, "Jobs to run; 0: until SIGINT or SIGTERM. Default 1");
    group.number("-w,--warmup", jobs.warmUpRounds, "Jobs to run first and not to count");
    group.flag("-q,--async", jobs.async, "Queue the jobs so that the device always has work");
    group.number("--priority", jobs.priority, "Priority of the jobs, 0 to 100. Default 50", 100);
    group.texts("--job-param", arguments.jobParameters, "KEY:VALUE",
                "Job parameter; repeatable; VALUE as for -b. With cpu-proc: image.input.crop:540,260,200,200");
}

void addGeneralOptions(CLI::App& app, Arguments& arguments) {
    OptionGroup group(app, "General");
    Options& options = arguments.options;
    group
        .value("--json", "[FILE]",
               "With --status and --model-info: JSON instead of tables, on stdout or into a file. With --stats: the "
               "statistics, into a file",
               [&options](const std::string& text) {
                   options.json = true;
                   options.jsonFile = text;
               })
        ->expected(0, 1);
    group.flag("-d,--debug", options.debug,
               "Print more: the tensors of the model, the time that loading took, and on stderr how the device gets "
               "at each tensor (LAROD_DEBUG=1 does that for any program)");
    app.set_help_flag("-h,--help", "Print this text")->group("General");
    app.set_version_flag("--version", "larod-client " OPENLAROD_VERSION_STRING, "Print the version")->group("General");
}

std::vector<Parameter> parseParameters(const std::vector<std::string>& texts) {
    std::vector<Parameter> parameters;
    parameters.reserve(texts.size());
    for (const std::string& text : texts) {
        parameters.push_back(parseParameter(text));
    }
    return parameters;
}

bool isAllocated(BufferType type) {
    return type == BufferType::LarodDisk || type == BufferType::LarodDma;
}

void checkModel(const ModelOptions& model) {
    if (model.id) {
        if (!model.device.empty() || !model.file.empty() || !model.parameters.empty() || model.isPublic) {
            throw UsageError("--model-id names a loaded model; -c, -g, -b and --public load one");
        }
        return;
    }
    if (model.device.empty()) {
        throw UsageError("name a device with -c (-a lists them)");
    }
    if (model.file.empty() && model.parameters.empty()) {
        throw UsageError("name a model file with -g, or describe a model with -b");
    }
}

void checkTensors(const TensorOptions& tensors) {
    if (std::find(tensors.outputs.begin(), tensors.outputs.end(), "") != tensors.outputs.end()) {
        throw UsageError("-o needs the name of a file; without -o there is a default one, and /dev/null keeps nothing");
    }
    if (!tensors.allocParameters.empty() && !isAllocated(tensors.inputBuffers) && !isAllocated(tensors.outputBuffers)) {
        throw UsageError("--alloc-param is for buffers of the service: -I or -O with larod-disk or larod-dma");
    }
}

// The options as a whole: what can't be seen at one of them alone.
Options finish(Arguments& arguments) {
    Options& options = arguments.options;
    options.model.parameters = parseParameters(arguments.modelParameters);
    options.jobs.parameters = parseParameters(arguments.jobParameters);
    options.tensors.allocParameters = parseParameters(arguments.allocParameters);
    if (arguments.actions.size() > 1) {
        throw UsageError(
            "more than one thing to do; -a, --list-models, --num-sessions, --delete-model, --status and --model-info "
            "exclude each other");
    }
    options.action = arguments.actions.empty() ? Action::Run : arguments.actions.front();
    const bool statistics = options.action == Action::Run && options.measure.stats;
    if (options.json && options.action != Action::ShowStatus && options.action != Action::ShowModel && !statistics) {
        throw UsageError("--json belongs to --status, --model-info and --stats");
    }
    if (options.json && statistics && options.jsonFile.empty()) {
        throw UsageError("--json needs a FILE with --stats, since the lines of the run go to stdout");
    }
    if (arguments.privateAccess && options.model.isPublic) {
        throw UsageError("-p and --public exclude each other");
    }
    checkMeasuring(options);
    if (options.action == Action::Run || options.action == Action::ShowModel) {
        checkModel(options.model);
    }
    if (options.action == Action::Run) {
        checkTensors(options.tensors);
    } else if (!options.tensors.inputs.empty()) {
        throw UsageError("-i is for running jobs, and something else is to be done");
    }
    return options;
}

std::string helpText(const CLI::App& app) {
    std::string text = app.help();
    for (size_t place = text.find("\n\n\n"); place != std::string::npos; place = text.find("\n\n\n", place)) {
        text.erase(place, 1);
    }
    return text;
}

void addOptions(CLI::App& app, Arguments& arguments) {
    app.get_formatter()->column_width(kHelpIndent);
    addModelOptions(app, arguments);
    addTensorOptions(app, arguments);
    addJobOptions(app, arguments);
    addMeasureOptions(app, arguments.options.measure);
    addPictureOptions(app, arguments.options.pictures);
    addValidateOptions(app, arguments.options.validate);
    addActions(app, arguments);
    addGeneralOptions(app, arguments);
    app.footer(kExamples +
               fmt::format("\nExit status: 0 success, 1 failure, 2 wrong usage. LAROD_SOCKET names the socket of the "
                           "service.\nA load or job that is refused for want of power is repeated every {} ms, up to "
                           "{} times.",
                           kPowerRetryInterval.count(), kMaxPowerRetries));
}

// Interactive mode takes the others line by line.
void checkNothingElse(const CLI::App& app) {
    for (const CLI::Option* option : app.get_options()) {
        if (option->count() > 0 && !option->check_lname("interactive") && !option->check_lname("debug")) {
            throw UsageError(fmt::format("{} goes into a line of the interactive mode; beside -r there can be -d",
                                         option->get_name()));
        }
    }
}

}  // namespace

CommandLine parseCommandLine(const std::vector<std::string>& commandLine) {
    CLI::App app(kPurpose, kProgram);
    Arguments arguments;
    addOptions(app, arguments);
    try {
        app.parse(cli11Arguments(commandLine));
    } catch (const CLI::CallForHelp&) {
        return helpText(app);
    } catch (const CLI::CallForVersion& version) {
        return std::string(version.what()) + "\n";
    } catch (const CLI::ParseError& error) {
        throw UsageError(error.what());
    }
    if (std::find(arguments.actions.begin(), arguments.actions.end(), Action::Interact) != arguments.actions.end()) {
        checkNothingElse(app);
    }
    return finish(arguments);
}

std::vector<OptionNames> optionNames() {
    CLI::App app(kPurpose, kProgram);
    Arguments arguments;
    addOptions(app, arguments);
    std::vector<OptionNames> all;
    for (const CLI::Option* option : app.get_options()) {
        OptionNames one;
        for (const std::string& name : option->get_snames()) {
            one.names.push_back("-" + name);
        }
        for (const std::string& name : option->get_lnames()) {
            one.names.push_back("--" + name);
        }
        if (option->get_items_expected_max() > 0) {
            one.valueType = option->get_type_name();
        }
        all.push_back(std::move(one));
    }
    return all;
}

}  // namespace larod::tools
