// SPDX-License-Identifier: Apache-2.0
// What the conformance tests share: a service and a connection a test, and models whose answers are known.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "support/client.h"
#include "support/private_service.h"

namespace larod::test {

inline constexpr const char* kDebug = "debug-device";
inline constexpr const char* kCpuProc = "cpu-proc";
inline constexpr const char* kCpuTflite = "cpu-tflite";

// A model whose output is its input: `bytes` of uint8.
inline LoadedModel echoModel(const Client& client, size_t bytes, larodAccess access = LAROD_ACCESS_PRIVATE) {
    const std::string spec = "uint8:" + std::to_string(bytes);
    Params params;
    params.set("debug.echo", 1).set("debug.input.0", spec.c_str()).set("debug.output.0", spec.c_str());
    return loadParams(client, kDebug, params, access);
}

// A model whose job number `job` does `action` (see debug_device.h), and whose others do nothing.
inline LoadedModel actingModel(const Client& client, const char* action, const char* job = "debug.job.1") {
    Params params;
    params.set(job, action);
    return loadParams(client, kDebug, params);
}

// A model on the second device: a conversion of `side` x `side` pixels.
inline LoadedModel converter(const Client& client, int64_t side = 8) {
    Params params;
    params.set("image.input.format", "nv12").set("image.input.size", side, side);
    params.set("image.output.format", "rgb-interleaved").set("image.output.size", side, side);
    return loadParams(client, kCpuProc, params);
}

// The ids of all models that the service has.
inline std::vector<uint64_t> modelIds(const Client& client) {
    size_t count = 0;
    CallError error;
    larodModel** models = larodGetModels(client.get(), &count, error);
    EXPECT_NE(models, nullptr) << error.text();
    std::vector<uint64_t> ids;
    for (size_t i = 0; i < count; ++i) {
        ids.push_back(larodGetModelId(models[i], nullptr));
    }
    larodDestroyModels(&models, count);
    return ids;
}

inline uint64_t idOf(const LoadedModel& model) {
    return larodGetModelId(model.get(), nullptr);
}

// A model with the buffers and the request of its jobs.
struct Job {
    Job(const Client& client, LoadedModel loaded)
        : model(std::move(loaded)),
          inputs(allocTensors(client, model, Side::Inputs)),
          outputs(allocTensors(client, model, Side::Outputs)),
          request(model, inputs, outputs) {}

    LoadedModel model;
    Tensors inputs;
    Tensors outputs;
    Request request;
};

// A job of which can be seen that it has started: its input is read from a file then, whose position moves.
struct WatchedJob {
    WatchedJob(const Client& client, LoadedModel loaded)
        : model(std::move(loaded)),
          inputs(ownTensors(client, model, Side::Inputs, files, LAROD_FD_PROP_READWRITE)),
          outputs(allocTensors(client, model, Side::Outputs)),
          request(model, inputs, outputs) {
        ::lseek(files[0].get(), 0, SEEK_SET);
    }
    [[nodiscard]] bool waitForStart() const {
        return eventually([this] { return ::lseek(files[0].get(), 0, SEEK_CUR) > 0; });
    }

    std::vector<UniqueFd> files;
    LoadedModel model;
    Tensors inputs;
    Tensors outputs;
    Request request;
};

class Served : public testing::Test {
  protected:
    PrivateService service_;
    Client client_;
};

// Expects that the job ran.
inline void expectRuns(const Client& client, const Request& request) {
    const auto failure = run(client, request);
    EXPECT_FALSE(failure) << failure->text;
}

// Expects that the job fails with the code.
inline void expectFails(const Client& client, const Request& request, int code) {
    const auto failure = run(client, request);
    ASSERT_TRUE(failure);
    EXPECT_EQ(failure->code, code) << failure->text;
    EXPECT_FALSE(failure->text.empty());
}

}  // namespace larod::test
