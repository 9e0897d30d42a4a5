// SPDX-License-Identifier: Apache-2.0
// Runs jobs on a loaded model: fills the inputs, measures, writes the outputs.
#include "larod-client/run.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <filesystem>
#include <optional>

#include "larod-client/input_files.h"
#include "larod-client/measured_run.h"
#include "larod-client/progress.h"
#include "larod-client/round_recorder.h"
#include "larod-client/stamped_output.h"
#include "larod-client/tensor_description.h"
#include "larod-client/tool_error.h"
#include "larod-client/validation.h"

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

void requireReadable(const std::string& name) {
    if (!name.empty() && ::access(name.c_str(), R_OK) != 0) {
        throw errnoError(fmt::format("Could not open '{}'", name));
    }
}

void requireWritable(const std::string& name) {
    if (name.empty() || ::access(name.c_str(), W_OK) == 0) {
        return;
    }
    const std::string folder = std::filesystem::path(name).parent_path().string();
    if (errno != ENOENT || ::access(folder.empty() ? "." : folder.c_str(), W_OK) != 0) {
        throw errnoError(fmt::format("Could not write '{}'", name));
    }
}

std::vector<FileIdentity> identitiesOf(const std::vector<std::string>& names) {
    std::vector<FileIdentity> files;
    for (const std::string& name : names) {
        if (const auto identity = identityOf(name)) {
            files.push_back(*identity);
        }
    }
    return files;
}

// All that a run reads: what must not be overwritten, least of all what its outputs are compared with.
std::vector<FileIdentity> filesRead(const Options& options) {
    std::vector<std::string> names = options.tensors.inputs;
    names.insert(names.end(), options.validate.references.begin(), options.validate.references.end());
    names.insert(names.end(), {options.model.file, options.validate.labelsFile});
    return identitiesOf(names);
}

// Refuses to write anything beside the outputs into one of `used`.
void protect(std::vector<FileIdentity> used, const Options& options) {
    for (const std::string& name : {options.validate.savedImage, options.measure.samplesFile, options.jsonFile}) {
        const auto identity = identityOf(name);
        if (identity && std::find(used.begin(), used.end(), *identity) != used.end()) {
            throw ToolError(EINVAL, fmt::format("'{}' is to be written, but is also a file that is read, or another "
                                                "one that is written",
                                                name));
        }
        if (identity) {
            used.push_back(*identity);
        }
    }
}

// What is used after the jobs: a wrong name is told now, not after hours.
void checkLaterFiles(const Options& options) {
    protect(filesRead(options), options);
    requireReadable(options.validate.labelsFile);
    std::for_each(options.validate.references.begin(), options.validate.references.end(), requireReadable);
    requireWritable(options.validate.savedImage);
    requireWritable(options.measure.samplesFile);
    requireWritable(options.jsonFile);
}

RoundsResult runPlain(larodConnection* conn, const larodJobRequest* request, const Options& options) {
    warmUp(conn, request, options.jobs);
    printStamped(fmt::format("Running job for {} round(s)...", options.jobs.rounds));
    return measureRounds(conn, request, options, nullptr);
}

}  // namespace

JobBuffers::JobBuffers(larodConnection* conn, const larodModel* model, const TensorOptions& options,
                       const PictureOptions& pictures, uint64_t seed, const std::vector<FileIdentity>& read, bool tells)
    : inputs_(conn, model, Direction::Input, options.inputBuffers, options.allocParameters),
      outputs_(conn, model, Direction::Output, options.outputBuffers, options.allocParameters),
      names_(tools::outputNames(options.outputs, outputs_.size(), options.inputs.front(), seed)) {
    fillInputs(conn, inputs_, options.inputs, pictures, seed, tells);
    files_.emplace(outputs_, names_, read);
    if (options.trackInputs) {
        inputs_.track(conn);
    }
    if (options.trackOutputs) {
        outputs_.track(conn);
    }
}

RequestHandle makeJobRequest(const larodModel* model, const TensorBuffers& inputBuffers,
                             const TensorBuffers& outputBuffers, const JobOptions& options) {
    const TensorArray& inputs = inputBuffers.tensors();
    const TensorArray& outputs = outputBuffers.tensors();
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

void warmUp(larodConnection* conn, const larodJobRequest* request, const JobOptions& options) {
    if (options.warmUpRounds > 0) {
        const auto run = options.async ? runJobsAsync : runJobs;
        static_cast<void>(run(conn, request, options.warmUpRounds, nullptr));
    }
}

RoundsResult measureRounds(larodConnection* conn, const larodJobRequest* request, const Options& options,
                           JobObserver* observer) {
    // An endless run ends when no more rounds can be kept.
    const bool bounded = options.jobs.rounds == 0 && options.measure.records();
    const uint64_t rounds = bounded ? kMaxRecordedRounds / options.measure.clients : options.jobs.rounds;
    // Several clients have one together.
    const auto progress = options.measure.clients == 1 ? progressAtTerminal(options.jobs.rounds) : nullptr;
    ProgressObserver shown(progress.get(), observer);
    if (options.measure.hasRate()) {
        return runJobsAtRate(conn, request, rounds, options.measure.jobsPerSecond, &shown);
    }
    const auto run = options.jobs.async ? runJobsAsync : runJobs;
    return run(conn, request, rounds, &shown);
}

std::string meanLine(const RoundsResult& result) {
    return fmt::format("Mean execution time for job: {:.2f} ms",
                       result.elapsed.count() / static_cast<double>(result.rounds));
}

void runModel(larodConnection* conn, const larodModel* model, const Options& options) {
    checkLaterFiles(options);
    const uint64_t seed = options.tensors.randomSeed.value_or(static_cast<uint64_t>(std::time(nullptr)));
    if (usesRandomInput(options.tensors)) {
        printStamped(fmt::format("Setting up randomly generated input tensors using random seed {}", seed));
    }
    const JobBuffers buffers(conn, model, options.tensors, options.pictures, seed, filesRead(options), true);
    if (options.debug) {
        printTensors(buffers.inputs(), "Input");
        printTensors(buffers.outputs(), "Output");
    }
    protect(identitiesOf(buffers.outputNames()), options);
    checkValidation(buffers.outputs(), options);
    const RequestHandle request = buffers.makeRequest(model, options.jobs);
    const RoundsResult result = options.measure.records() ? runMeasured(conn, request.get(), options, seed)
                                                          : runPlain(conn, request.get(), options);

    buffers.writeOutputs();
    printStamped("Output written to:");
    for (const std::string& name : buffers.outputNames()) {
        printStamped(name);
    }
    const std::optional<std::string> complaint = validateOutputs(conn, buffers.outputs(), options);
    printStamped(meanLine(result));
    if (complaint) {
        throw ToolError(ERANGE, *complaint);
    }
}

}  // namespace larod::tools
