// SPDX-License-Identifier: Apache-2.0
// Several connections that run the same jobs at once.
#include "larod-client/load_client.h"

#include <fmt/format.h>

#include <cerrno>
#include <exception>
#include <latch>
#include <system_error>
#include <thread>

#include "larod-client/load.h"
#include "larod-client/progress.h"
#include "larod-client/stop_signal.h"
#include "larod-client/tool_error.h"

namespace larod::tools {

namespace {

ConnectionHandle connectAgain() {
    LarodError error;
    larodConnection* conn = nullptr;
    if (!larodConnect(&conn, error.out())) {
        throw error.toolError("Could not connect one more client to larod");
    }
    return ConnectionHandle(conn);
}

ModelHandle modelOf(larodConnection* conn, const ModelOptions& options) {
    if (!options.id) {
        return loadModel(conn, options);
    }
    LarodError error;
    ModelHandle model(larodGetModel(conn, *options.id, error.out()));
    if (!model) {
        throw error.toolError(fmt::format("Could not use model {} for one more client", *options.id));
    }
    return model;
}

TensorOptions withoutOutputs(const Options& options, const larodModel* model) {
    TensorOptions tensors = options.tensors;
    tensors.outputs.assign(larodGetModelNumOutputs(model, nullptr), "/dev/null");
    return tensors;
}

}  // namespace

LoadClient::LoadClient(const Options& options, uint64_t seed)
    : connection_(connectAgain()),
      model_(modelOf(connection_.get(), options.model)),
      buffers_(std::make_unique<const JobBuffers>(connection_.get(), model_.get(),
                                                  withoutOutputs(options, model_.get()), options.pictures, seed,
                                                  std::vector<FileIdentity>(), false)),
      request_(buffers_->makeRequest(model_.get(), options.jobs)) {}

std::vector<std::unique_ptr<LoadClient>> makeLoadClients(const Options& options, uint64_t seed) {
    std::vector<std::unique_ptr<LoadClient>> clients;
    while (clients.size() + 1 < options.measure.clients) {
        if (stopRequested()) {
            throw ToolError(EINTR, fmt::format("Interrupted when {} of {} clients were ready", clients.size() + 1,
                                               options.measure.clients));
        }
        clients.push_back(std::make_unique<LoadClient>(options, seed));
    }
    return clients;
}

void runTogether(const std::vector<LoadPart>& parts, const Options& options) {
    std::vector<std::exception_ptr> failures(parts.size());
    std::latch ready(static_cast<std::ptrdiff_t>(parts.size()));
    const auto progress = progressAtTerminal(options.jobs.rounds * parts.size());
    const auto runOne = [&](size_t index) {
        const LoadPart& part = parts[index];
        ProgressObserver shown(progress.get(), part.observer);
        ready.arrive_and_wait();
        try {
            static_cast<void>(measureRounds(part.connection, part.request, options, &shown));
        } catch (...) {
            failures[index] = std::current_exception();
            requestStop();  // the others might have no end
        }
    };
    {
        std::vector<std::jthread> threads;
        threads.reserve(parts.size());
        try {
            for (size_t index = 0; index < parts.size(); ++index) {
                threads.emplace_back(runOne, index);
            }
        } catch (const std::system_error& error) {
            requestStop();  // those that wait for the others run a single job
            ready.count_down(static_cast<std::ptrdiff_t>(parts.size() - threads.size()));
            throw ToolError(error.code().value(),
                            fmt::format("Could not start a thread for client {} of {}: {}", threads.size() + 1,
                                        parts.size(), error.code().message()));
        }
    }
    for (const std::exception_ptr& failure : failures) {
        if (failure) {
            std::rethrow_exception(failure);
        }
    }
}

}  // namespace larod::tools
