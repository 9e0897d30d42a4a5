// SPDX-License-Identifier: Apache-2.0
// Api 1-9: rules of all functions, connections, models, tensors and maps, as the interface's description has them.
#include <fcntl.h>
#include <unistd.h>

#include <cstring>
#include <set>

#include "conformance/service.h"
#include "support/tflite_writer.h"

namespace larod::test {
namespace {

using Api_1 = Served;
using Api_2 = Served;
using Api_5 = Served;
using Api_6 = Served;
using Api_7 = Served;
using Api_8 = Served;
using Api_9 = Served;

std::vector<uint8_t> smallNetwork() {
    TfliteWriter writer;
    writer.output(writer.reshape(writer.input("x", ElementType::Float32, {4}), "y", {2, 2}));
    return writer.build();
}

TEST_F(Api_1, PitchesAreTheBytesOfADimensionFromTheRight) {
    Params params;
    params.set("debug.input.0", "float32:1x3x250x250").set("debug.output.0", "uint8:1x224x300x3");
    const auto model = loadParams(client_, kDebug, params);
    std::vector<UniqueFd> fds;
    const auto inputs = ownTensors(client_, model, Side::Inputs, fds);
    const larodTensorPitches* pitches = larodGetTensorPitches(inputs[0], nullptr);
    ASSERT_EQ(pitches->len, 4U);
    EXPECT_EQ(pitches->pitches[3], 250U * 4);
    EXPECT_EQ(pitches->pitches[2], 250U * 250 * 4);
    EXPECT_EQ(pitches->pitches[1], 3U * 250 * 250 * 4);
    EXPECT_EQ(pitches->pitches[0], pitches->pitches[1]);
    size_t bytes = 0;
    ASSERT_TRUE(larodGetTensorByteSize(inputs[0], &bytes, nullptr));
    EXPECT_EQ(bytes, pitches->pitches[0]);
}

TEST_F(Api_1, ReferenceImagesHaveTheDocumentedPitches) {
    // A row of 300 pixels at 32 bytes: 320; 420SP with 224 rows.
    Params params;
    params.set("image.input.format", "nv12").set("image.input.size", 300, 224).set("image.input.row-pitch", 320);
    params.set("image.output.format", "rgb-interleaved").set("image.output.size", 300, 224);
    const auto model = loadParams(client_, kCpuProc, params);
    std::vector<UniqueFd> fds;
    const auto inputs = ownTensors(client_, model, Side::Inputs, fds);
    EXPECT_EQ(larodGetTensorLayout(inputs[0], nullptr), LAROD_TENSOR_LAYOUT_420SP);
    const larodTensorDims* dims = larodGetTensorDims(inputs[0], nullptr);
    EXPECT_EQ(std::vector<size_t>(dims->dims, dims->dims + dims->len), (std::vector<size_t>{3, 224, 300}));
    const larodTensorPitches* pitches = larodGetTensorPitches(inputs[0], nullptr);
    EXPECT_EQ(std::vector<size_t>(pitches->pitches, pitches->pitches + pitches->len),
              (std::vector<size_t>{107520, 71680, 320}));
    // The same by the functions that build them: 420SP, then NCHW of floats in rows of 1024 bytes.
    larodTensor** built = larodCreateTensors(1, nullptr);
    EXPECT_TRUE(larodBuildTensorPitches(built[0], LAROD_TENSOR_LAYOUT_420SP, 320, 224, 3, nullptr));
    EXPECT_EQ(larodGetTensorPitches(built[0], nullptr)->pitches[0], 107520U);
    EXPECT_TRUE(larodSetTensorDataType(built[0], LAROD_TENSOR_DATA_TYPE_FLOAT32, nullptr));
    EXPECT_TRUE(larodBuildTensorPitches(built[0], LAROD_TENSOR_LAYOUT_NCHW, 1024, 250, 3, nullptr));
    const larodTensorPitches* planes = larodGetTensorPitches(built[0], nullptr);
    EXPECT_EQ(std::vector<size_t>(planes->pitches, planes->pitches + planes->len),
              (std::vector<size_t>{768000, 768000, 256000, 1024}));
    EXPECT_TRUE(larodDestroyTensors(nullptr, &built, 1, nullptr));
}

TEST_F(Api_2, OnSuccessTheErrorStaysAsItWas) {
    larodError* error = nullptr;
    uint64_t count = 0;
    EXPECT_TRUE(larodGetNumSessions(client_.get(), &count, &error));
    EXPECT_EQ(error, nullptr);
    EXPECT_EQ(larodGetDevice(client_.get(), "none", 0, &error), nullptr);
    larodError* const old = error;
    EXPECT_TRUE(larodGetNumSessions(client_.get(), &count, &error));
    EXPECT_EQ(error, old);
    larodClearError(&error);
}

TEST_F(Api_2, OutputParametersAreWrittenOnSuccessOnly) {
    size_t count = 42;
    EXPECT_EQ(larodListDevices(nullptr, &count, nullptr), nullptr);
    EXPECT_EQ(larodGetModels(nullptr, &count, nullptr), nullptr);
    EXPECT_EQ(larodCreateModelInputs(nullptr, &count, nullptr), nullptr);
    EXPECT_EQ(larodAllocModelInputs(client_.get(), nullptr, 0, &count, nullptr, nullptr), nullptr);
    EXPECT_EQ(larodGetModelInputByteSizes(nullptr, &count, nullptr), nullptr);
    EXPECT_EQ(count, 42U);
}

TEST_F(Api_2, DestroyingNothingDoesNothing) {
    larodClearError(nullptr);
    larodError* error = nullptr;
    larodClearError(&error);
    larodModel* model = nullptr;
    larodDestroyModel(nullptr);
    larodDestroyModel(&model);
    larodModel** models = nullptr;
    larodDestroyModels(nullptr, 3);
    larodDestroyModels(&models, 3);
    larodTensor** tensors = nullptr;
    EXPECT_TRUE(larodDestroyTensors(client_.get(), nullptr, 3, nullptr));
    EXPECT_TRUE(larodDestroyTensors(nullptr, &tensors, 3, nullptr));
    larodMap* map = nullptr;
    larodDestroyMap(nullptr);
    larodDestroyMap(&map);
    larodJobRequest* request = nullptr;
    larodDestroyJobRequest(nullptr);
    larodDestroyJobRequest(&request);
    larodConnection* connection = nullptr;
    EXPECT_TRUE(larodDisconnect(nullptr, nullptr));
    EXPECT_TRUE(larodDisconnect(&connection, nullptr));
}

TEST_F(Api_2, TheClientsDescriptorsStayOpen) {
    const UniqueFd file = memoryFile(smallNetwork());
    CallError error;
    const LoadedModel model(larodLoadModel(client_.get(), file.get(), client_.device(kCpuTflite), LAROD_ACCESS_PRIVATE,
                                           "", nullptr, error));
    ASSERT_NE(model.get(), nullptr) << error.text();
    std::vector<UniqueFd> fds;
    {
        const auto inputs = ownTensors(client_, model, Side::Inputs, fds);
        const auto outputs = ownTensors(client_, model, Side::Outputs, fds);
        expectRuns(client_, Request(model, inputs, outputs));
    }
    client_.disconnect();
    for (const int fd : {file.get(), fds[0].get(), fds[1].get()}) {
        EXPECT_EQ(::lseek(fd, 0, SEEK_SET), 0);
    }
}

TEST_F(Api_5, DevicesStayTheSameWhileConnected) {
    size_t count = 0;
    const larodDevice** first = larodListDevices(client_.get(), &count, nullptr);
    const std::vector<const larodDevice*> devices(first, first + count);
    const Job job(client_, echoModel(client_, 4));
    expectRuns(client_, job.request);
    const larodDevice** again = larodListDevices(client_.get(), &count, nullptr);
    EXPECT_EQ(std::vector<const larodDevice*>(again, again + count), devices);
    EXPECT_EQ(client_.device(kDebug), client_.device(kDebug));
}

TEST_F(Api_5, DisconnectReleasesTheHandleAndEverythingElseIsDestroyedAfterwards) {
    larodConnection* connection = nullptr;
    CallError error;
    ASSERT_TRUE(larodConnect(&connection, error)) << error.text();
    const Params params;
    larodModel* model = larodLoadModel(connection, -1, larodGetDevice(connection, kDebug, 0, nullptr),
                                       LAROD_ACCESS_PRIVATE, "late", params.get(), nullptr);
    ASSERT_NE(model, nullptr);
    size_t count = 0;
    larodTensor** described = larodCreateModelInputs(model, &count, nullptr);
    larodTensor** allocated = larodAllocModelOutputs(connection, model, 0, nullptr, nullptr, nullptr);
    larodJobRequest* request = larodCreateJobRequest(model, described, 1, allocated, 1, nullptr, nullptr);
    ASSERT_NE(request, nullptr);
    EXPECT_TRUE(larodDisconnect(&connection, error)) << error.text();
    EXPECT_EQ(connection, nullptr);
    // Local functions go on, and what is left can be destroyed in any order.
    EXPECT_STREQ(larodGetModelName(model, nullptr), "late");
    larodTensor** later = larodCreateModelOutputs(model, &count, nullptr);
    EXPECT_NE(later, nullptr);
    EXPECT_TRUE(larodDestroyTensors(nullptr, &later, count, nullptr));
    larodDestroyModel(&model);
    EXPECT_TRUE(larodDestroyTensors(nullptr, &described, 1, nullptr));
    larodDestroyJobRequest(&request);
    EXPECT_FALSE(larodDestroyTensors(nullptr, &allocated, 1, error));
    EXPECT_EQ(allocated, nullptr);
}

TEST_F(Api_7, TheModelsFileIsReadFromItsBeginningAndMayBeClosedAtOnce) {
    const auto network = smallNetwork();
    UniqueFd file = memoryFile(network);
    ::lseek(file.get(), 0, SEEK_END);
    UniqueFd readOnly(::open(("/proc/self/fd/" + std::to_string(file.get())).c_str(), O_RDONLY | O_CLOEXEC));
    CallError error;
    const auto load = [&](int fd) {
        return LoadedModel(
            larodLoadModel(client_.get(), fd, client_.device(kCpuTflite), LAROD_ACCESS_PRIVATE, "", nullptr, error));
    };
    // Twice with one fd, as clients that try again do.
    const auto first = load(file.get());
    ASSERT_NE(first.get(), nullptr) << error.text();
    EXPECT_EQ(larodGetModelSize(first.get(), nullptr), network.size());
    const auto second = load(file.get());
    ASSERT_NE(second.get(), nullptr) << error.text();
    Job third(client_, load(readOnly.get()));
    file.reset();
    readOnly.reset();
    expectRuns(client_, third.request);
}

TEST_F(Api_7, AMissingDeviceIsAnOrdinaryFailure) {
    const UniqueFd file = memoryFile(smallNetwork());
    CallError error;
    const larodDevice* unchecked = larodGetDevice(client_.get(), "axis-a8-dlpu-tflite", 0, nullptr);
    EXPECT_EQ(unchecked, nullptr);
    EXPECT_EQ(larodLoadModel(client_.get(), file.get(), unchecked, LAROD_ACCESS_PRIVATE, "", nullptr, error), nullptr);
    EXPECT_EQ(error.code(), EINVAL) << error.text();
}

TEST_F(Api_7, WithoutModelsTheListIsOneNullEntry) {
    size_t count = 42;
    CallError error;
    larodModel** models = larodGetModels(client_.get(), &count, error);
    ASSERT_NE(models, nullptr) << error.text();
    EXPECT_EQ(count, 0U);
    EXPECT_EQ(models[0], nullptr);
    larodDestroyModels(&models, 0);
    EXPECT_EQ(models, nullptr);
    const auto model = echoModel(client_, 4);
    models = larodGetModels(client_.get(), nullptr, error);
    ASSERT_NE(models, nullptr) << error.text();
    EXPECT_EQ(models[1], nullptr);
    larodDestroyModels(&models, 1);
}

TEST_F(Api_7, ADeletedModelsHandleSurvives) {
    const auto model = echoModel(client_, 4);
    const uint64_t id = idOf(model);
    CallError error;
    ASSERT_TRUE(larodDeleteModel(client_.get(), model.get(), error)) << error.text();
    EXPECT_EQ(idOf(model), id);
    EXPECT_EQ(larodGetModelNumInputs(model.get(), nullptr), 1U);
    EXPECT_EQ(larodGetModelDevice(model.get(), nullptr), client_.device(kDebug));
    EXPECT_FALSE(larodDeleteModel(client_.get(), nullptr, error));
}

TEST_F(Api_7, ByteSizesAreThoseOfTheTensors) {
    Params params;
    params.set("debug.input.0", "uint8:7").set("debug.input.1", "float32:2x3").set("debug.output.0", "int64:5");
    const auto model = loadParams(client_, kDebug, params);
    size_t count = 0;
    size_t* inputs = larodGetModelInputByteSizes(model.get(), &count, nullptr);
    ASSERT_EQ(count, 2U);
    EXPECT_EQ(inputs[0], 7U);
    EXPECT_EQ(inputs[1], 24U);
    ::free(inputs);
    size_t* outputs = larodGetModelOutputByteSizes(model.get(), nullptr, nullptr);
    EXPECT_EQ(outputs[0], 40U);
    ::free(outputs);
}

// Name, type, layout, numbers of dims and pitches, fd, fd size, offset, props.
void expectBare(const larodTensor* tensor) {
    EXPECT_EQ(larodGetTensorFd(tensor, nullptr), -1);
    size_t size = 1;
    EXPECT_TRUE(larodGetTensorFdSize(tensor, &size, nullptr));
    EXPECT_EQ(size, 0U);
    EXPECT_EQ(larodGetTensorFdOffset(tensor, nullptr), 0);
    uint32_t props = 0;
    EXPECT_TRUE(larodGetTensorFdProps(tensor, &props, nullptr));
    EXPECT_EQ(props, LAROD_FD_PROP_READWRITE);
}

TEST_F(Api_8, CreatedTensorsHaveTheDocumentedDefaults) {
    larodTensor** tensors = larodCreateTensors(3, nullptr);
    ASSERT_NE(tensors, nullptr);
    for (size_t i = 0; i < 3; ++i) {
        EXPECT_STREQ(larodGetTensorName(tensors[i], nullptr), "");
        EXPECT_EQ(larodGetTensorDataType(tensors[i], nullptr), LAROD_TENSOR_DATA_TYPE_UNSPECIFIED);
        EXPECT_EQ(larodGetTensorLayout(tensors[i], nullptr), LAROD_TENSOR_LAYOUT_UNSPECIFIED);
        EXPECT_EQ(larodGetTensorDims(tensors[i], nullptr)->len, 0U);
        EXPECT_EQ(larodGetTensorPitches(tensors[i], nullptr)->len, 0U);
        expectBare(tensors[i]);
        size_t bytes = 1;
        EXPECT_TRUE(larodGetTensorByteSize(tensors[i], &bytes, nullptr));
        EXPECT_EQ(bytes, 0U);  // undefined
    }
    EXPECT_TRUE(larodDestroyTensors(nullptr, &tensors, 3, nullptr));
    EXPECT_EQ(tensors, nullptr);
}

TEST_F(Api_8, AModelsTensorsDescribeItAndHaveNoBuffers) {
    Params params;
    params.set("debug.input.0", "float32:1x2x3x4").set("debug.input.1", "uint8:9").set("debug.output.0", "int16:2");
    const auto model = loadParams(client_, kDebug, params);
    size_t count = 0;
    larodTensor** inputs = larodCreateModelInputs(model.get(), &count, nullptr);
    ASSERT_EQ(count, 2U);
    EXPECT_STREQ(larodGetTensorName(inputs[0], nullptr), "input0");
    EXPECT_EQ(larodGetTensorDataType(inputs[0], nullptr), LAROD_TENSOR_DATA_TYPE_FLOAT32);
    EXPECT_EQ(larodGetTensorLayout(inputs[0], nullptr), LAROD_TENSOR_LAYOUT_NHWC);
    EXPECT_EQ(larodGetTensorDims(inputs[0], nullptr)->dims[3], 4U);
    EXPECT_EQ(larodGetTensorPitches(inputs[0], nullptr)->pitches[0], 96U);
    expectBare(inputs[0]);
    expectBare(inputs[1]);
    EXPECT_TRUE(larodDestroyTensors(nullptr, &inputs, count, nullptr));
    larodTensor** outputs = larodCreateModelOutputs(model.get(), nullptr, nullptr);  // the count is not needed
    expectBare(outputs[0]);
    EXPECT_TRUE(larodDestroyTensors(nullptr, &outputs, 1, nullptr));
}

TEST_F(Api_8, OutputNamesOfAModelAreDistinct) {
    Params params;
    params.set("debug.outputs", 5);
    const Job job(client_, loadParams(client_, kDebug, params));
    std::set<std::string> names;
    for (size_t i = 0; i < job.outputs.size(); ++i) {
        names.insert(larodGetTensorName(job.outputs[i], nullptr));
    }
    EXPECT_EQ(names.size(), 5U);
}

TEST_F(Api_8, AnUnpaddedRgbOutputHasThreeBytesAPixel) {
    const Job job(client_, converter(client_, 64));
    size_t bytes = 0;
    ASSERT_TRUE(larodGetTensorByteSize(job.outputs[0], &bytes, nullptr));
    EXPECT_EQ(bytes, 64U * 64 * 3);
}

TEST_F(Api_8, AnOffsetIsValidWithoutAnFdSize) {
    const auto model = echoModel(client_, 10);
    std::vector<UniqueFd> fds;
    const auto inputs = ownTensors(client_, model, Side::Inputs, fds);
    const auto outputs = ownTensors(client_, model, Side::Outputs, fds);
    ASSERT_EQ(::ftruncate(fds[0].get(), 30), 0);
    ASSERT_TRUE(larodSetTensorFdOffset(inputs[0], 20, nullptr));
    expectRuns(client_, Request(model, inputs, outputs));
}

TEST_F(Api_8, LaterChangesOfATensorReachNoEarlierRequest) {
    const auto model = echoModel(client_, 10);
    std::vector<UniqueFd> fds;
    const auto inputs = ownTensors(client_, model, Side::Inputs, fds);
    const auto outputs = ownTensors(client_, model, Side::Outputs, fds);
    const Request request(model, inputs, outputs);
    ASSERT_TRUE(larodSetTensorFd(inputs[0], -1, nullptr));
    expectRuns(client_, request);
    expectFails(client_, Request(model, inputs, outputs), LAROD_ERROR_FD);
    ASSERT_TRUE(larodSetJobRequestInputs(request.get(), inputs.get(), 1, nullptr));  // set again, it is seen
    expectFails(client_, request, LAROD_ERROR_FD);
}

TEST_F(Api_9, MapsHoldStringsIntegersAndTwoKindsOfArrays) {
    Params map;
    const std::string key(127, 'k');
    const std::string value(127, 'v');
    larodMap* m = map.get();
    EXPECT_TRUE(larodMapSetStr(m, key.c_str(), value.c_str(), nullptr));
    EXPECT_EQ(larodMapGetStr(m, key.c_str(), nullptr), value);
    EXPECT_FALSE(larodMapSetStr(m, (key + "k").c_str(), "", nullptr));
    EXPECT_EQ(larodMapGetStr(m, (key + "k").c_str(), nullptr), nullptr);
    EXPECT_FALSE(larodMapSetStr(m, "key", (value + "v").c_str(), nullptr));
    EXPECT_TRUE(larodMapSetInt(m, "n", INT64_MIN, nullptr));
    EXPECT_TRUE(larodMapSetIntArr2(m, "two", 1, 2, nullptr));
    EXPECT_TRUE(larodMapSetIntArr4(m, "four", 1, 2, 3, 4, nullptr));
    int64_t number = 0;
    EXPECT_TRUE(larodMapGetInt(m, "n", &number, nullptr));
    EXPECT_EQ(number, INT64_MIN);
    EXPECT_TRUE(larodMapSetInt(m, "n", 7, nullptr));  // the same type: replaced
    EXPECT_TRUE(larodMapGetInt(m, "n", &number, nullptr));
    EXPECT_EQ(number, 7);
    EXPECT_FALSE(larodMapSetStr(m, "n", "seven", nullptr));  // another type: kept
    EXPECT_FALSE(larodMapSetInt(m, "two", 1, nullptr));
    EXPECT_FALSE(larodMapSetIntArr2(m, "four", 1, 2, nullptr));
    EXPECT_EQ(larodMapGetIntArr4(m, "two", nullptr), nullptr);
    EXPECT_FALSE(larodMapGetInt(m, "two", &number, nullptr));
    EXPECT_EQ(number, 7);
    EXPECT_EQ(larodMapGetIntArr2(m, "two", nullptr)[1], 2);
    EXPECT_EQ(larodMapGetIntArr4(m, "four", nullptr)[3], 4);
}

TEST_F(Api_9, ARequestAndALoadHaveCopiesOfTheirMaps) {
    Params params;
    params.set("debug.job.1", "fail");
    const auto model = loadParams(client_, kDebug, params);
    larodMap* passing = larodCreateMap(nullptr);
    EXPECT_TRUE(larodMapSetInt(passing, "anything", 1, nullptr));
    const auto inputs = allocTensors(client_, model, Side::Inputs);
    const auto outputs = allocTensors(client_, model, Side::Outputs);
    larodJobRequest* request = larodCreateJobRequest(model.get(), inputs.get(), 1, outputs.get(), 1, passing, nullptr);
    larodDestroyMap(&passing);
    EXPECT_FALSE(larodRunJob(client_.get(), request, nullptr));  // what the load's map said
    EXPECT_TRUE(larodRunJob(client_.get(), request, nullptr));
    larodDestroyJobRequest(&request);
}

}  // namespace
}  // namespace larod::test
