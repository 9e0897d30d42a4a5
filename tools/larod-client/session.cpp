// SPDX-License-Identifier: Apache-2.0
// The tool's connection to the service, and what a command does with it.
#include "larod-client/session.h"

#include <fmt/format.h>

#include <cerrno>
#include <chrono>
#include <optional>
#include <string>

#include "larod-client/dataset.h"
#include "larod-client/device_table.h"
#include "larod-client/load.h"
#include "larod-client/model_info.h"
#include "larod-client/model_table.h"
#include "larod-client/run.h"
#include "larod-client/stamped_output.h"
#include "larod-client/status_client.h"
#include "larod-client/status_text.h"
#include "larod-client/stop_signal.h"
#include "larod-client/tool_error.h"
#include "larod-client/whole_file.h"

namespace larod::tools {

namespace {

void printTable(std::string_view title, const std::string& table) {
    printStamped(title);
    printPlain(table);
}

void printJson(const Options& options, const std::string& text) {
    if (options.jsonFile.empty()) {
        printPlain(text);
        return;
    }
    writeWholeFile(options.jsonFile, text);
}

void showStatus(const Options& options) {
    const wire::Status status = readStatus();
    if (options.json) {
        printJson(options, statusJson(status));
    } else {
        printPlain(statusTables(status));
    }
}

void countSessions(larodConnection* conn) {
    LarodError error;
    uint64_t count = 0;
    if (!larodGetNumSessions(conn, &count, error.out())) {
        throw error.toolError("Could not count the sessions");
    }
    printStamped(fmt::format("Sessions: {}", count));
}

// `purpose`: "use", for the message.
ModelHandle findModel(larodConnection* conn, uint64_t modelId, const char* purpose) {
    LarodError error;
    ModelHandle model(larodGetModel(conn, modelId, error.out()));
    if (!model) {
        throw error.toolError(fmt::format("Could not {} model {}", purpose, modelId));
    }
    return model;
}

void deleteModel(larodConnection* conn, uint64_t modelId) {
    const ModelHandle model = findModel(conn, modelId, "delete");
    LarodError error;
    if (!larodDeleteModel(conn, model.get(), error.out())) {
        throw error.toolError(fmt::format("Could not delete model {}", modelId));
    }
    printStamped(fmt::format("Model {} deleted", modelId));
}

// `stays`: also where it is private, so that its id is worth knowing.
ModelHandle loadAndTell(larodConnection* conn, const Options& options, bool stays) {
    const auto begin = std::chrono::steady_clock::now();
    ModelHandle model = loadModel(conn, options.model);
    if (stopRequested()) {
        larodDeleteModel(conn, model.get(), nullptr);  // if it fails: the session's end deletes it
        throw ToolError(EINTR, "Interrupted: the model that was loading meanwhile is not kept");
    }
    if (options.quiet()) {
        return model;
    }
    const std::string name = modelName(options.model);
    printStamped(name.empty() ? "Model loaded" : fmt::format("Model {} loaded", name));
    if (options.debug) {
        const std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - begin;
        printStamped(fmt::format("Loading took {:.2f} ms", elapsed.count()));
    }
    if (stays || options.model.isPublic) {
        printStamped(fmt::format("Model id: {}", larodGetModelId(model.get(), nullptr)));
    }
    return model;
}

void showModel(const larodModel* model, const Options& options) {
    const auto file = options.model.file.empty() ? std::nullopt : readFileTensors(options.model.file);
    const ModelInfo info = modelInfo(model, file ? &*file : nullptr);
    if (options.json) {
        printJson(options, modelInfoJson(info));
    } else {
        printTable("Model:", modelInfoTable(info));
    }
}

}  // namespace

larodConnection* Session::connect(bool quiet) {
    if (connection_) {
        return connection_.get();
    }
    if (!quiet) {
        printStamped("Connecting to larod...");
    }
    LarodError error;
    larodConnection* conn = nullptr;
    if (!larodConnect(&conn, error.out())) {
        throw error.toolError("Could not connect to larod");
    }
    connection_.reset(conn);
    if (!quiet) {
        printStamped("Connected");
    }
    return conn;
}

void Session::execute(const Options& options) {
    switch (options.action) {
        case Action::ShowStatus:
            showStatus(options);
            break;
        case Action::ListDevices:
            printTable("Devices:", deviceTable(connect(false)));
            break;
        case Action::ListModels:
            printTable("Models:", modelTable(connect(false)));
            break;
        case Action::CountSessions:
            countSessions(connect(false));
            break;
        case Action::DeleteModel:
            deleteModel(connect(false), options.deletedModel);
            break;
        case Action::Interact:  // is the caller's
            break;
        case Action::Run:
        case Action::ShowModel:
            useModel(connect(options.quiet()), options);
            break;
    }
}

void Session::useModel(larodConnection* conn, const Options& options) const {
    const ModelHandle model = options.model.id ? findModel(conn, *options.model.id, "use")
                                               : loadAndTell(conn, options, kind_ != Kind::OneCommand);
    if (options.action == Action::ShowModel) {
        showModel(model.get(), options);
    } else if (!options.tensors.inputs.empty() || options.validate.hasDataset()) {
        std::optional<StopSignals> stopSignals;
        const bool takesLong = options.jobs.rounds == 0 || options.measure.clients > 1 || options.validate.hasDataset();
        if (kind_ != Kind::Terminal && takesLong) {
            stopSignals.emplace();
        }
        const auto run = options.validate.hasDataset() ? runDataset : runModel;
        run(conn, model.get(), options);
    } else if (options.wantsJobs()) {
        printNotice("No job was run, since no input is given: -i FILE, or -i '' for random data");
    }
    LarodError error;
    const bool stays = options.model.id || options.model.isPublic || kind_ != Kind::OneCommand;
    if (!stays && !larodDeleteModel(conn, model.get(), error.out())) {
        throw error.toolError("Could not delete the model");
    }
}

}  // namespace larod::tools
