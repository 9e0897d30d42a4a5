// SPDX-License-Identifier: Apache-2.0
// Behaviour 1-3: sessions, devices, models: who sees, uses and deletes them, and how long they live.
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "conformance/service.h"
#include "support/callbacks.h"
#include "support/tflite_writer.h"

namespace larod::test {
namespace {

using Behaviour_1 = Served;
using Behaviour_2 = Served;
using Behaviour_3 = Served;
using Behaviour_3_1 = Served;
using Behaviour_3_2 = Served;
using Behaviour_3_3 = Served;

bool contains(const std::vector<uint64_t>& ids, uint64_t id) {
    return std::find(ids.begin(), ids.end(), id) != ids.end();
}

TEST_F(Behaviour_1, EachConnectionIsASessionAlsoWithinOneProcess) {
    uint64_t count = 0;
    ASSERT_TRUE(larodGetNumSessions(client_.get(), &count, nullptr));
    EXPECT_EQ(count, 1U);
    const Client second;
    const Client third;
    ASSERT_TRUE(larodGetNumSessions(client_.get(), &count, nullptr));
    EXPECT_EQ(count, 3U);
    EXPECT_EQ(service_.sessionPids().size(), 3U);
}

TEST_F(Behaviour_1, DevicesAreSharedByAllSessionsAndKnowWhoLoadedWhat) {
    const Client other;
    const Job mine(client_, echoModel(client_, 8));
    const Job theirs(other, echoModel(other, 8));
    expectRuns(client_, mine.request);
    expectRuns(other, theirs.request);
    expectFails(client_, theirs.request, LAROD_ERROR_PERMISSION);
    expectFails(other, mine.request, LAROD_ERROR_PERMISSION);
}

TEST_F(Behaviour_1, TheServiceOutlivesItsClients) {
    {
        const Client passing;
        const Job job(passing, echoModel(passing, 8));
        expectRuns(passing, job.request);
    }
    client_.disconnect();
    const Client later;
    const Job job(later, echoModel(later, 8));
    expectRuns(later, job.request);
}

TEST_F(Behaviour_2, DevicesHaveDistinctNamesOrInstancesFromZero) {
    size_t count = 0;
    const larodDevice** devices = larodListDevices(client_.get(), &count, nullptr);
    ASSERT_NE(devices, nullptr);
    EXPECT_EQ(devices[count], nullptr);
    std::set<std::pair<std::string, uint32_t>> seen;
    for (size_t i = 0; i < count; ++i) {
        uint32_t instance = 99;
        ASSERT_TRUE(larodGetDeviceInstance(devices[i], &instance, nullptr));
        const char* name = larodGetDeviceName(devices[i], nullptr);
        ASSERT_NE(name, nullptr);
        EXPECT_TRUE(seen.emplace(name, instance).second);
        EXPECT_TRUE(seen.contains({name, 0}) || instance > 0);
        EXPECT_EQ(larodGetDevice(client_.get(), name, instance, nullptr), devices[i]);
    }
    for (const char* name : {kCpuTflite, kCpuProc, kDebug}) {
        EXPECT_TRUE(seen.contains({name, 0})) << name;
    }
    const std::string upper = "CPU-PROC";
    for (const auto& [name, instance] : {std::pair<const char*, uint32_t>(kCpuProc, 1),
                                         {upper.c_str(), 0},
                                         {"cpu-pro", 0},
                                         {"cpu-proc ", 0},
                                         {"", 0}}) {
        CallError error;
        EXPECT_EQ(larodGetDevice(client_.get(), name, instance, error), nullptr) << name;
        EXPECT_EQ(error.code(), LAROD_ERROR_INVALID_CHIP_ID);
    }
}

TEST_F(Behaviour_3, SourcesAreAFileOrAMapAndSomethingMustBeGiven) {
    TfliteWriter writer;
    writer.output(writer.reshape(writer.input("x", ElementType::Float32, {4}), "y", {2, 2}));
    const auto network = writer.build();
    EXPECT_NE(loadFile(client_, kCpuTflite, network).get(), nullptr);
    EXPECT_NE(converter(client_).get(), nullptr);
    for (const char* device : {kCpuTflite, kCpuProc, kDebug}) {
        EXPECT_EQ(loadFailure(client_, device, -1, nullptr).code, LAROD_ERROR_FD) << device;
    }
    // A device whose models are parameters leaves a file alone; a network's device leaves unknown keys alone.
    const UniqueFd file = memoryFile(network);
    Params params;
    params.set("unknown", 1);
    CallError error;
    const LoadedModel both(larodLoadModel(client_.get(), file.get(), client_.device(kCpuTflite), LAROD_ACCESS_PRIVATE,
                                          "", params.get(), error));
    EXPECT_NE(both.get(), nullptr) << error.text();
    const LoadedModel ignored(larodLoadModel(client_.get(), file.get(), client_.device(kDebug), LAROD_ACCESS_PRIVATE,
                                             "", params.get(), error));
    EXPECT_NE(ignored.get(), nullptr) << error.text();
}

TEST_F(Behaviour_3, IdsAreUniqueAndNeverReusedAlsoAfterDeletionAndDisconnect) {
    std::set<uint64_t> seen;
    for (int round = 0; round < 5; ++round) {
        const Client other;
        for (const Client* client : {static_cast<const Client*>(&client_), &other}) {
            const auto first = echoModel(*client, 4);
            const auto second = echoModel(*client, 4, LAROD_ACCESS_PUBLIC);
            for (const LoadedModel* model : {&first, &second}) {
                EXPECT_TRUE(seen.insert(idOf(*model)).second);
                EXPECT_NE(idOf(*model), LAROD_INVALID_MODEL_ID);
            }
            EXPECT_TRUE(larodDeleteModel(client->get(), second.get(), nullptr));
        }
    }
    EXPECT_EQ(modelIds(client_).size(), 5U);  // its own private ones
}

TEST_F(Behaviour_3, NamesNeedNotBeUniqueAndMayBeEmptyOrNull) {
    for (const char* name : {"same", "same", "", static_cast<const char*>(nullptr)}) {
        Params params;
        const LoadedModel model(larodLoadModel(client_.get(), -1, client_.device(kDebug), LAROD_ACCESS_PRIVATE, name,
                                               params.get(), nullptr));
        ASSERT_NE(model.get(), nullptr);
        EXPECT_STREQ(larodGetModelName(model.get(), nullptr), name == nullptr ? "" : name);
    }
    EXPECT_EQ(modelIds(client_).size(), 4U);
}

TEST_F(Behaviour_3, TheSameFileLoadedTwiceIsTwoModels) {
    TfliteWriter writer;
    writer.output(writer.reshape(writer.input("x", ElementType::Float32, {4}), "y", {2, 2}));
    const UniqueFd fd = memoryFile(writer.build());
    ::lseek(fd.get(), 7, SEEK_SET);  // the position says nothing
    std::vector<LoadedModel> models;
    for (int i = 0; i < 2; ++i) {
        CallError error;
        models.emplace_back(larodLoadModel(client_.get(), fd.get(), client_.device(kCpuTflite), LAROD_ACCESS_PRIVATE,
                                           "", nullptr, error));
        ASSERT_NE(models.back().get(), nullptr) << error.text();
    }
    EXPECT_NE(idOf(models[0]), idOf(models[1]));
    EXPECT_TRUE(larodDeleteModel(client_.get(), models[0].get(), nullptr));
    const Job second(client_, std::move(models[1]));
    expectRuns(client_, second.request);
}

TEST_F(Behaviour_3_1, AllModelsAreListedAndFoundByEverySession) {
    const Client other;
    const auto hidden = echoModel(other, 4, LAROD_ACCESS_PRIVATE);
    const auto shared = echoModel(other, 4, LAROD_ACCESS_PUBLIC);
    for (const Client* client : {static_cast<const Client*>(&client_), &other}) {
        const auto ids = modelIds(*client);
        EXPECT_EQ(ids.size(), 2U);
        for (const LoadedModel* model : {&hidden, &shared}) {
            EXPECT_TRUE(contains(ids, idOf(*model)));
            CallError error;
            const LoadedModel found(larodGetModel(client->get(), idOf(*model), error));
            ASSERT_NE(found.get(), nullptr) << error.text();
            EXPECT_EQ(idOf(found), idOf(*model));
        }
    }
}

TEST_F(Behaviour_3_1, MetadataOfOtherSessionsModelsCanBeRead) {
    const Client owner;
    Params params;
    params.set("debug.input.0", "uint8:1x4x6x3").set("debug.input.1", "float32:5").set("debug.output.0", "int16:2x2");
    CallError error;
    const LoadedModel original(larodLoadModel(owner.get(), -1, owner.device(kDebug), LAROD_ACCESS_PRIVATE,
                                              "Vdo larod model", params.get(), error));
    ASSERT_NE(original.get(), nullptr) << error.text();
    const LoadedModel seen(larodGetModel(client_.get(), idOf(original), error));
    ASSERT_NE(seen.get(), nullptr) << error.text();
    EXPECT_STREQ(larodGetModelName(seen.get(), nullptr), "Vdo larod model");
    EXPECT_EQ(larodGetModelAccess(seen.get(), nullptr), LAROD_ACCESS_PRIVATE);
    EXPECT_EQ(larodGetModelSize(seen.get(), nullptr), larodGetModelSize(original.get(), nullptr));
    EXPECT_GT(larodGetModelSize(seen.get(), nullptr), 0U);
    EXPECT_EQ(larodGetModelNumInputs(seen.get(), nullptr), 2U);
    EXPECT_EQ(larodGetModelNumOutputs(seen.get(), nullptr), 1U);
    // The device is the one of the connection that asked.
    EXPECT_EQ(larodGetModelDevice(seen.get(), nullptr), client_.device(kDebug));
    size_t count = 0;
    larodTensor** inputs = larodCreateModelInputs(seen.get(), &count, error);
    ASSERT_NE(inputs, nullptr) << error.text();
    ASSERT_EQ(count, 2U);
    const larodTensorDims* dims = larodGetTensorDims(inputs[0], nullptr);
    ASSERT_EQ(dims->len, 4U);
    EXPECT_EQ(dims->dims[2], 6U);
    EXPECT_EQ(larodGetTensorDataType(inputs[1], nullptr), LAROD_TENSOR_DATA_TYPE_FLOAT32);
    EXPECT_TRUE(larodDestroyTensors(nullptr, &inputs, count, nullptr));
    size_t* sizes = larodGetModelInputByteSizes(seen.get(), nullptr, nullptr);
    ASSERT_NE(sizes, nullptr);
    EXPECT_EQ(sizes[0], 72U);
    EXPECT_EQ(sizes[1], 20U);
    ::free(sizes);
}

TEST_F(Behaviour_3_1, OnlyTheCreatingSessionRunsAllocatesForAndDeletesAPrivateModel) {
    const Client owner;
    const auto model = echoModel(owner, 4, LAROD_ACCESS_PRIVATE);
    std::vector<UniqueFd> fds;
    const auto inputs = ownTensors(client_, model, Side::Inputs, fds);
    const auto outputs = ownTensors(client_, model, Side::Outputs, fds);
    expectFails(client_, Request(model, inputs, outputs), LAROD_ERROR_PERMISSION);
    CallError error;
    EXPECT_EQ(larodAllocModelInputs(client_.get(), model.get(), 0, nullptr, nullptr, error), nullptr);
    EXPECT_EQ(error.code(), LAROD_ERROR_PERMISSION) << error.text();
    EXPECT_EQ(larodAllocModelOutputs(client_.get(), model.get(), 0, nullptr, nullptr, error), nullptr);
    EXPECT_EQ(error.code(), LAROD_ERROR_PERMISSION) << error.text();
    EXPECT_FALSE(larodDeleteModel(client_.get(), model.get(), error));
    EXPECT_EQ(error.code(), LAROD_ERROR_PERMISSION) << error.text();
    // Refusals changed nothing.
    expectRuns(owner, Request(model, inputs, outputs));
    EXPECT_TRUE(larodDeleteModel(owner.get(), model.get(), error)) << error.text();
}

TEST_F(Behaviour_3_1, EverySessionRunsAllocatesForAndDeletesAPublicModel) {
    const Client owner;
    const auto model = echoModel(owner, 64, LAROD_ACCESS_PUBLIC);
    const auto inputs = allocTensors(client_, model, Side::Inputs);
    const auto outputs = allocTensors(client_, model, Side::Outputs);
    const auto data = randomBytes(64, 1);
    inputs.write(0, data);
    expectRuns(client_, Request(model, inputs, outputs));
    EXPECT_EQ(outputs.read(0), data);
    CallError error;
    EXPECT_TRUE(larodDeleteModel(client_.get(), model.get(), error)) << error.text();
    expectFails(client_, Request(model, inputs, outputs), LAROD_ERROR_MODEL_NOT_FOUND);
    EXPECT_FALSE(larodDeleteModel(owner.get(), model.get(), error));
    EXPECT_EQ(error.code(), LAROD_ERROR_MODEL_NOT_FOUND);
}

TEST_F(Behaviour_3_2, DestroyingTheHandleLeavesTheModelLoaded) {
    for (const larodAccess access : {LAROD_ACCESS_PRIVATE, LAROD_ACCESS_PUBLIC}) {
        uint64_t id = 0;
        {
            const auto model = echoModel(client_, 4, access);
            id = idOf(model);
        }
        CallError error;
        const Job job(client_, LoadedModel(larodGetModel(client_.get(), id, error)));
        expectRuns(client_, job.request);
    }
    size_t count = 0;
    larodModel** models = larodGetModels(client_.get(), &count, nullptr);
    larodDestroyModels(&models, count);
    EXPECT_EQ(models, nullptr);
    EXPECT_EQ(modelIds(client_).size(), 2U);
}

TEST_F(Behaviour_3_2, TheEndOfTheSessionDeletesItsPrivateModelsAndKeepsPublicOnes) {
    Client owner;
    const auto hidden = echoModel(owner, 4, LAROD_ACCESS_PRIVATE);
    const auto shared = echoModel(owner, 4, LAROD_ACCESS_PUBLIC);
    owner.disconnect();
    EXPECT_EQ(modelIds(client_), std::vector<uint64_t>{idOf(shared)});
    CallError error;
    EXPECT_EQ(larodGetModel(client_.get(), idOf(hidden), error), nullptr);
    EXPECT_EQ(error.code(), LAROD_ERROR_MODEL_NOT_FOUND);
    const Job job(client_, LoadedModel(larodGetModel(client_.get(), idOf(shared), error)));
    expectRuns(client_, job.request);
    EXPECT_TRUE(larodDeleteModel(client_.get(), job.model.get(), error)) << error.text();
    EXPECT_TRUE(modelIds(client_).empty());
}

TEST_F(Behaviour_3_2, DeletingWhileJobsRunAndWaitFinishesTheOneAndFailsTheOthers) {
    Params params;
    params.set("debug.delay", 300'000);
    const WatchedJob job(client_, loadParams(client_, kDebug, params));
    Callbacks callbacks;
    constexpr size_t kJobs = 5;
    for (size_t i = 0; i < kJobs; ++i) {
        ASSERT_TRUE(larodRunJobAsync(client_.get(), job.request.get(), Callbacks::done, &callbacks, nullptr));
    }
    ASSERT_TRUE(job.waitForStart());
    CallError error;
    ASSERT_TRUE(larodDeleteModel(client_.get(), job.model.get(), error)) << error.text();
    // Unknown from now on, whatever still runs.
    EXPECT_TRUE(modelIds(client_).empty());
    expectFails(client_, job.request, LAROD_ERROR_MODEL_NOT_FOUND);
    const auto codes = callbacks.waitFor(kJobs);
    EXPECT_EQ(std::count(codes.begin(), codes.end(), LAROD_ERROR_NONE), 1);
    EXPECT_EQ(std::count(codes.begin(), codes.end(), LAROD_ERROR_MODEL_NOT_FOUND), 4);
}

TEST_F(Behaviour_3_2, DeletingAPublicModelFailsTheWaitingJobsOfOtherSessions) {
    const Client other;
    Params params;
    params.set("debug.delay", 300'000);
    const auto model = loadParams(client_, kDebug, params, LAROD_ACCESS_PUBLIC);
    CallError error;
    const WatchedJob job(other, LoadedModel(larodGetModel(other.get(), idOf(model), error)));
    Callbacks callbacks;
    for (int i = 0; i < 3; ++i) {
        ASSERT_TRUE(larodRunJobAsync(other.get(), job.request.get(), Callbacks::done, &callbacks, nullptr));
    }
    ASSERT_TRUE(job.waitForStart());
    ASSERT_TRUE(larodDeleteModel(client_.get(), model.get(), error)) << error.text();
    const auto codes = callbacks.waitFor(3);
    EXPECT_EQ(std::count(codes.begin(), codes.end(), LAROD_ERROR_MODEL_NOT_FOUND), 2) << testing::PrintToString(codes);
}

TEST_F(Behaviour_3_3, ShapesThatTheFileLeavesEmptyAreThoseAfterAllocation) {
    TfliteWriter writer;
    const auto x = writer.input("x", ElementType::Float32, {1, 160});
    // As detection networks have them: the operation knows the shape, the file says none.
    writer.output(writer.reshape(x, "boxes", {1, 40, 4}, {}));
    writer.output(writer.reshape(x, "flat", {160}, {}));
    const Job job(client_, loadFile(client_, kCpuTflite, writer.build()));
    ASSERT_EQ(job.outputs.size(), 2U);
    const auto expectShape = [](const larodTensor* tensor, const std::vector<size_t>& expected) {
        const larodTensorDims* dims = larodGetTensorDims(tensor, nullptr);
        EXPECT_EQ(std::vector<size_t>(dims->dims, dims->dims + dims->len), expected);
        const larodTensorPitches* pitches = larodGetTensorPitches(tensor, nullptr);
        ASSERT_EQ(pitches->len, expected.size());
        EXPECT_EQ(pitches->pitches[0], 160 * sizeof(float));
    };
    expectShape(job.outputs[0], {1, 40, 4});
    expectShape(job.outputs[1], {160});
    std::vector<uint8_t> data(160 * sizeof(float), 0x3f);
    job.inputs.write(0, data);
    expectRuns(client_, job.request);
    EXPECT_EQ(job.outputs.read(0), data);
    EXPECT_EQ(job.outputs.read(1), data);
}

TEST_F(Behaviour_3_3, AScalarIsReportedAsOneElement) {
    TfliteWriter writer;
    const auto x = writer.input("x", ElementType::Float32, {1});
    writer.output(writer.reshape(x, "count", {}, {}));
    const Job job(client_, loadFile(client_, kCpuTflite, writer.build()));
    const larodTensorDims* dims = larodGetTensorDims(job.outputs[0], nullptr);
    ASSERT_EQ(dims->len, 1U);
    EXPECT_EQ(dims->dims[0], 1U);
    expectRuns(client_, job.request);
}

TEST_F(Behaviour_3_3, AnImageInputTellsWidthHeightRowsAndSize) {
    TfliteWriter writer;
    const auto x = writer.input("image", ElementType::Uint8, {1, 6, 8, 3});
    writer.output(writer.reshape(x, "y", {144}));
    const Job network(client_, loadFile(client_, kCpuTflite, writer.build()));
    const larodTensor* input = network.inputs[0];
    const larodTensorDims* dims = larodGetTensorDims(input, nullptr);
    const larodTensorPitches* pitches = larodGetTensorPitches(input, nullptr);
    ASSERT_EQ(dims->len, 4U);
    ASSERT_EQ(pitches->len, dims->len);
    EXPECT_EQ(dims->dims[2], 8U);  // width
    EXPECT_EQ(dims->dims[1], 6U);  // height
    EXPECT_EQ(pitches->pitches[2], 24U);
    EXPECT_EQ(pitches->pitches[0], 144U);
    EXPECT_EQ(larodGetTensorLayout(input, nullptr), LAROD_TENSOR_LAYOUT_NHWC);
    EXPECT_EQ(larodGetTensorDataType(input, nullptr), LAROD_TENSOR_DATA_TYPE_UINT8);
    EXPECT_EQ(larodGetTensorLayout(network.outputs[0], nullptr), LAROD_TENSOR_LAYOUT_UNSPECIFIED);
    size_t bytes = 0;
    ASSERT_TRUE(larodGetTensorByteSize(input, &bytes, nullptr));
    EXPECT_EQ(bytes, 144U);
}

TEST_F(Behaviour_3_3, EqualNamesInTheFileAreMadeDistinct) {
    TfliteWriter writer;
    const auto x = writer.input("x", ElementType::Float32, {4});
    writer.output(writer.reshape(x, "same", {2, 2}));
    writer.output(writer.reshape(x, "same", {4, 1}));
    const Job job(client_, loadFile(client_, kCpuTflite, writer.build()));
    EXPECT_STRNE(larodGetTensorName(job.outputs[0], nullptr), larodGetTensorName(job.outputs[1], nullptr));
}

}  // namespace
}  // namespace larod::test
