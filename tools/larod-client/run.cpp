// SPDX-License-Identifier: Apache-2.0
// Runs jobs on a loaded model: fills the inputs, measures, writes the outputs.
#include "larod-client/run.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>

#include "larod-client/input_files.h"
#include "larod-client/progress.h"
#include "larod-client/stamped_output.h"
#include "larod-client/tensor_description.h"
#include "larod-client/terminal_style.h"
#include "larod-client/tool_error.h"

namespace larod::tools {

namespace {

bool usesRandomInput(const TensorOptions& options) {
    return std::any_of(options.inputs.begin(), options.inputs.end(),
                       [](const std::string& name) { return name.empty(); });
}

void printTensors(const TensorBuffers& buffers, std::string_view direction) {
    for (size_t index = 0; index < buffers.size(); ++index) {
        printStamped(fmt::format("{} {}: {}", direction, index, describeTensor(buffers.tensors()[index])));
    }
}

}  // namespace

JobBuffers::JobBuffers(larodConnection* conn, const larodModel* model, const TensorOptions& options, uint64_t seed)
    : inputs_(conn, model, Direction::Input, options.inputBuffers, options.allocParameters),
      outputs_(conn, model, Direction::Output, options.outputBuffers, options.allocParameters),
      names_(tools::outputNames(options.outputs, outputs_.size(), options.inputs.front(), seed)),
      files_(outputs_, names_, fillInputs(inputs_, options.inputs, seed)) {
    if (options.trackInputs) {
        inputs_.track(conn);
    }
    if (options.trackOutputs) {
        outputs_.track(conn);
    }
}

RequestHandle JobBuffers::makeRequest(const larodModel* model, const JobOptions& options) const {
    const TensorArray& inputs = inputs_.tensors();
    const TensorArray& outputs = outputs_.tensors();
    LarodError error;
    RequestHandle request(larodCreateJobRequest(model, inputs.data(), inputs.size(), outputs.data(), outputs.size(),
                                                makeMap(options.parameters).get(), error.out()));
    if (!request) {
        throw error.toolError("Could not create the job request");
    }
    if (options.priority && !larodSetJobRequestPriority(request.get(), *options.priority, error.out())) {
        throw error.toolError("Could not set the priority");
    }
    return request;
}

RoundsResult runRounds(larodConnection* conn, const larodJobRequest* request, const JobOptions& options,
                       JobObserver* observer) {
    const auto run = options.async ? runJobsAsync : runJobs;
    if (options.warmUpRounds > 0) {
        static_cast<void>(run(conn, request, options.warmUpRounds, nullptr));
    }
    printStamped(fmt::format("Running job for {} round(s)...", options.rounds));
    if (!isTerminal(STDERR_FILENO)) {
        return run(conn, request, options.rounds, observer);
    }
    Progress progress(options.rounds, observer);
    return run(conn, request, options.rounds, &progress);
}

std::string meanLine(const RoundsResult& result) {
    return fmt::format("Mean execution time for job: {:.2f} ms",
                       result.elapsed.count() / static_cast<double>(result.rounds));
}

void runModel(larodConnection* conn, const larodModel* model, const Options& options) {
    const uint64_t seed = options.tensors.randomSeed.value_or(static_cast<uint64_t>(std::time(nullptr)));
    if (usesRandomInput(options.tensors)) {
        printStamped(fmt::format("Setting up randomly generated input tensors using random seed {}", seed));
    }
    const JobBuffers buffers(conn, model, options.tensors, seed);
    if (options.debug) {
        printTensors(buffers.inputs(), "Input");
        printTensors(buffers.outputs(), "Output");
    }
    const RequestHandle request = buffers.makeRequest(model, options.jobs);
    const RoundsResult result = runRounds(conn, request.get(), options.jobs, nullptr);

    buffers.writeOutputs();
    printStamped("Output written to:");
    for (const std::string& name : buffers.outputNames()) {
        printStamped(name);
    }
    printStamped(meanLine(result));
}

}  // namespace larod::tools
