// SPDX-License-Identifier: Apache-2.0
// What the command line asks for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "larod-client/parameter.h"

namespace larod::tools {

// What one call of the tool does.
enum class Action : uint8_t { Run, ListDevices, ListModels, CountSessions, DeleteModel, ShowStatus };

struct Options {
    Action action = Action::Run;
    uint64_t modelId = 0;  // to delete
    bool json = false;     // the status
    std::vector<Parameter> modelParameters;
    std::string device;
    bool debug = false;
    std::string modelFile;            // empty: the parameters alone describe the model
    std::vector<std::string> inputs;  // an empty name stands for random data
    std::vector<std::string> outputs;
    bool async = false;
    uint64_t warmUpRounds = 0;
    uint64_t rounds = 1;  // 0: until SIGINT or SIGTERM
    bool trackInputs = false;
    bool trackOutputs = false;
    std::optional<uint64_t> randomSeed;
};

// The options, or the text of --help or --version, to be printed instead of a run.
using CommandLine = std::variant<Options, std::string>;

// Throws UsageError.
[[nodiscard]] CommandLine parseCommandLine(int argc, const char* const* argv);

}  // namespace larod::tools
