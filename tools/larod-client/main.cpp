// SPDX-License-Identifier: Apache-2.0
// larod-client: loads a model into the larod service, runs jobs on it, prints how long they take.
#include <fcntl.h>
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <thread>
#include <utility>

#include "larod-client/device_table.h"
#include "larod-client/handles.h"
#include "larod-client/input_files.h"
#include "larod-client/job_loop.h"
#include "larod-client/model_table.h"
#include "larod-client/options.h"
#include "larod-client/output_files.h"
#include "larod-client/stamped_output.h"
#include "larod-client/status_client.h"
#include "larod-client/status_text.h"
#include "larod-client/stop_signal.h"
#include "larod-client/tensor_description.h"
#include "larod-client/tool_error.h"

namespace larod::tools {

namespace {

enum ExitStatus { kSuccess = 0, kFailure = 1, kUsage = 2 };

ConnectionHandle connectToService() {
    printStamped("Connecting to larod...");
    LarodError error;
    larodConnection* conn = nullptr;
    if (!larodConnect(&conn, error.out())) {
        throw error.toolError("Could not connect to larod");
    }
    ConnectionHandle connection(conn);
    printStamped("Connected");
    return connection;
}

ModelHandle loadModel(larodConnection* conn, const Options& options) {
    LarodError error;
    const larodDevice* device = larodGetDevice(conn, options.device.c_str(), 0, error.out());
    if (device == nullptr) {
        throw error.toolError(fmt::format("Could not get device '{}'", options.device));
    }
    UniqueFd file;
    if (!options.modelFile.empty()) {
        file.reset(::open(options.modelFile.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
        if (!file) {
            throw errnoError(fmt::format("Could not open model '{}'", options.modelFile));
        }
    }
    const MapHandle parameters = makeMap(options.modelParameters);
    const std::string name = std::filesystem::path(options.modelFile).filename().string();

    const auto begin = std::chrono::steady_clock::now();
    ModelHandle model;
    for (int retry = 0; !model; ++retry) {
        model.reset(larodLoadModel(conn, file.get(), device, LAROD_ACCESS_PRIVATE, name.c_str(), parameters.get(),
                                   error.out()));
        if (!model) {
            if (error.code() == LAROD_ERROR_FD && name.empty()) {
                throw ToolError(error.code(), fmt::format("Could not load the model: {} loads it from a file; name one "
                                                          "with -g",
                                                          options.device));
            }
            if (error.code() != LAROD_ERROR_POWER_NOT_AVAILABLE || retry == kMaxPowerRetries) {
                throw error.toolError(name.empty() ? "Could not load the model"
                                                   : fmt::format("Could not load model '{}'", name));
            }
            std::this_thread::sleep_for(kPowerRetryInterval);
        }
    }
    printStamped(name.empty() ? "Model loaded" : fmt::format("Model {} loaded", name));
    if (options.debug) {
        const std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - begin;
        printStamped(fmt::format("Loading took {:.2f} ms", elapsed.count()));
    }
    return model;
}

using MakeTensors = larodTensor** (*)(const larodModel*, size_t*, larodError**);

TensorArray makeTensors(larodConnection* conn, const larodModel* model, MakeTensors make, std::string_view direction) {
    LarodError error;
    size_t count = 0;
    larodTensor** tensors = make(model, &count, error.out());
    if (tensors == nullptr) {
        throw error.toolError(fmt::format("Could not create the {} tensors", direction));
    }
    return {conn, tensors, count};
}

void printTensors(const TensorArray& tensors, std::string_view direction) {
    for (size_t index = 0; index < tensors.size(); ++index) {
        printStamped(fmt::format("{} {}: {}", direction, index, describeTensor(tensors[index])));
    }
}

void trackTensors(larodConnection* conn, const TensorArray& tensors, std::string_view direction) {
    LarodError error;
    for (size_t index = 0; index < tensors.size(); ++index) {
        if (!larodTrackTensor(conn, tensors[index], error.out())) {
            throw error.toolError(fmt::format("Could not track {} {}", direction, index));
        }
    }
}

bool usesRandomInput(const Options& options) {
    for (const std::string& input : options.inputs) {
        if (input.empty()) {
            return true;
        }
    }
    return false;
}

void runRounds(larodConnection* conn, const larodModel* model, const Options& options) {
    const TensorArray inputs = makeTensors(conn, model, larodCreateModelInputs, "input");
    const TensorArray outputs = makeTensors(conn, model, larodCreateModelOutputs, "output");
    if (options.debug) {
        printTensors(inputs, "Input");
        printTensors(outputs, "Output");
    }
    const uint64_t seed = options.randomSeed.value_or(static_cast<uint64_t>(std::time(nullptr)));
    if (usesRandomInput(options)) {
        printStamped(fmt::format("Setting up randomly generated input tensors using random seed {}", seed));
    }
    const std::vector<std::string> names = outputNames(options.outputs, outputs.size(), options.inputs.front(), seed);
    const std::vector<UniqueFd> inputFiles = openInputs(inputs, options.inputs, seed);
    const OutputFiles outputFiles(outputs, names, inputFiles);
    if (options.trackInputs) {
        trackTensors(conn, inputs, "input");
    }
    if (options.trackOutputs) {
        trackTensors(conn, outputs, "output");
    }

    LarodError error;
    const RequestHandle request(larodCreateJobRequest(model, inputs.data(), inputs.size(), outputs.data(),
                                                      outputs.size(), nullptr, error.out()));
    if (!request) {
        throw error.toolError("Could not create the job request");
    }
    const auto run = options.async ? runJobsAsync : runJobs;
    if (options.rounds == 0) {
        catchStopSignals();
    }
    if (options.warmUpRounds > 0) {
        static_cast<void>(run(conn, request.get(), options.warmUpRounds));
    }
    printStamped(fmt::format("Running job for {} round(s)...", options.rounds));
    const RoundsResult result = run(conn, request.get(), options.rounds);

    outputFiles.writeOthers();
    printStamped("Output written to:");
    for (const std::string& name : names) {
        printStamped(name);
    }
    printStamped(fmt::format("Mean execution time for job: {:.2f} ms",
                             result.elapsed.count() / static_cast<double>(result.rounds)));
}

void countSessions(larodConnection* conn) {
    LarodError error;
    uint64_t count = 0;
    if (!larodGetNumSessions(conn, &count, error.out())) {
        throw error.toolError("Could not count the sessions");
    }
    printStamped(fmt::format("Sessions: {}", count));
}

void deleteModel(larodConnection* conn, uint64_t modelId) {
    LarodError error;
    const ModelHandle model(larodGetModel(conn, modelId, error.out()));
    if (!model || !larodDeleteModel(conn, model.get(), error.out())) {
        throw error.toolError(fmt::format("Could not delete model {}", modelId));
    }
    printStamped(fmt::format("Model {} deleted", modelId));
}

void loadAndRun(larodConnection* conn, const Options& options) {
    const ModelHandle model = loadModel(conn, options);
    if (!options.inputs.empty()) {
        runRounds(conn, model.get(), options);
    }
    LarodError error;
    if (!larodDeleteModel(conn, model.get(), error.out())) {
        throw error.toolError("Could not delete the model");
    }
}

void printTable(std::string_view title, const std::string& table) {
    printStamped(title);
    printPlain(table);
}

void run(const Options& options) {
    if (options.debug) {
        ::setenv("LAROD_DEBUG", "1", 1);  // for the library
    }
    if (options.action == Action::ShowStatus) {
        const wire::Status status = readStatus();
        printPlain(options.json ? statusJson(status) : statusTables(status));
        return;
    }
    const ConnectionHandle connection = connectToService();
    switch (options.action) {
        case Action::ListDevices:
            printTable("Devices:", deviceTable(connection.get()));
            break;
        case Action::ListModels:
            printTable("Models:", modelTable(connection.get()));
            break;
        case Action::CountSessions:
            countSessions(connection.get());
            break;
        case Action::DeleteModel:
            deleteModel(connection.get(), options.modelId);
            break;
        case Action::Run:
        case Action::ShowStatus:
            loadAndRun(connection.get(), options);
            break;
    }
}

}  // namespace

}  // namespace larod::tools

int main(int argc, char** argv) {
    using namespace larod::tools;
    try {
        const CommandLine commandLine = parseCommandLine(argc, argv);
        if (const auto* text = std::get_if<std::string>(&commandLine)) {
            printPlain(*text);
        } else {
            run(std::get<Options>(commandLine));
        }
        return kSuccess;
    } catch (const UsageError& error) {
        printError(fmt::format("{} (--help explains)", error.what()));
        return kUsage;
    } catch (const ToolError& error) {
        printError(fmt::format("{} ({})", error.what(), error.code()));
    } catch (const std::exception& error) {
        printError(error.what());
    }
    return kFailure;
}
