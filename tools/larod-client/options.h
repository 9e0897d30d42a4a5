// SPDX-License-Identifier: Apache-2.0
// What a command line asks for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "larod-client/measure_options.h"
#include "larod-client/parameter.h"
#include "larod-client/tensor_buffers.h"

namespace larod::tools {

// What one command does.
enum class Action : uint8_t {
    Run,
    ListDevices,
    ListModels,
    CountSessions,
    DeleteModel,
    ShowStatus,
    ShowModel,
    Interact
};

struct ModelOptions {
    std::string file;  // empty: the parameters alone describe the model
    std::string device;
    uint32_t instance = 0;
    std::vector<Parameter> parameters;
    bool isPublic = false;       // it stays when the tool ends
    std::optional<uint64_t> id;  // of a model that is loaded already; nothing else is said then
};

struct TensorOptions {
    std::vector<std::string> inputs;  // an empty name stands for random data
    std::vector<std::string> outputs;
    BufferType inputBuffers = BufferType::ExtDisk;
    BufferType outputBuffers = BufferType::ExtDisk;
    std::vector<Parameter> allocParameters;
    bool trackInputs = false;
    bool trackOutputs = false;
    std::optional<uint64_t> randomSeed;
};

struct JobOptions {
    std::vector<Parameter> parameters;
    std::optional<uint8_t> priority;
    bool async = false;
    uint64_t warmUpRounds = 0;
    uint64_t rounds = 1;  // 0: until SIGINT or SIGTERM
};

struct Options {
    Action action = Action::Run;
    uint64_t deletedModel = 0;
    bool debug = false;
    bool json = false;
    std::string jsonFile;  // with json; empty: stdout
    ModelOptions model;
    TensorOptions tensors;
    JobOptions jobs;
    MeasureOptions measure;
    PictureOptions pictures;
    ValidateOptions validate;

    // Whether something was said about jobs, which only run where there is an input.
    [[nodiscard]] bool wantsJobs() const noexcept {
        return jobs.rounds != 1 || jobs.warmUpRounds > 0 || jobs.async || jobs.priority || !jobs.parameters.empty() ||
               !tensors.outputs.empty() || tensors.trackInputs || tensors.trackOutputs || tensors.randomSeed;
    }

    // Nothing but JSON is to be on stdout.
    [[nodiscard]] bool quiet() const noexcept { return json && jsonFile.empty(); }
};

// The options, or the text of --help or --version, to be printed instead of a run.
using CommandLine = std::variant<Options, std::string>;

// `arguments` without the name of the program. Throws UsageError.
[[nodiscard]] CommandLine parseCommandLine(const std::vector<std::string>& arguments);

// An option as it can be typed.
struct OptionNames {
    std::vector<std::string> names;  // with their dashes; the long one is the last
    std::string valueType;           // as in the help text; empty: it takes no value

    [[nodiscard]] bool takesValue() const noexcept { return !valueType.empty(); }
};

[[nodiscard]] std::vector<OptionNames> optionNames();

}  // namespace larod::tools
