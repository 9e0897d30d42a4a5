// SPDX-License-Identifier: Apache-2.0
// Api 10 and 18: job requests, what they copy, and the limits in numbers.
#include <unistd.h>

#include "conformance/service.h"

namespace larod::test {
namespace {

using Api_10 = Served;
using Api_18 = Served;

TEST_F(Api_10, ARequestOutlivesTheHandlesItWasMadeOf) {
    std::vector<UniqueFd> fds;
    larodJobRequest* request = nullptr;
    const auto data = randomBytes(32, 1);
    {
        const auto model = echoModel(client_, 32);
        const auto inputs = ownTensors(client_, model, Side::Inputs, fds);
        const auto outputs = ownTensors(client_, model, Side::Outputs, fds);
        inputs.write(0, data);
        Params params;
        params.set("any", "thing");
        request = larodCreateJobRequest(model.get(), inputs.get(), 1, outputs.get(), 1, params.get(), nullptr);
        ASSERT_NE(request, nullptr);
    }
    CallError error;
    for (int i = 0; i < 3; ++i) {
        EXPECT_TRUE(larodRunJob(client_.get(), request, error)) << error.text();
    }
    std::vector<uint8_t> got(32);
    ASSERT_EQ(::pread(fds[1].get(), got.data(), got.size(), 0), 32);
    EXPECT_EQ(got, data);
    larodDestroyJobRequest(&request);
    EXPECT_EQ(request, nullptr);
}

TEST_F(Api_10, ContentsAreReadWhenTheJobRuns) {
    const Job job(client_, echoModel(client_, 32));
    for (uint64_t frame = 0; frame < 5; ++frame) {
        const auto data = randomBytes(32, frame);
        job.inputs.write(0, data);
        expectRuns(client_, job.request);
        EXPECT_EQ(job.outputs.read(0), data);
    }
}

TEST_F(Api_10, SettersReplaceModelInputsOutputsAndParameters) {
    const auto first = echoModel(client_, 32);
    Params failing;
    failing.set("debug.job.1", "fail").set("debug.input.0", "uint8:32").set("debug.output.0", "uint8:32");
    const auto second = loadParams(client_, kDebug, failing);
    const auto inputs = allocTensors(client_, first, Side::Inputs);
    const auto otherInputs = allocTensors(client_, first, Side::Inputs);
    const auto outputs = allocTensors(client_, first, Side::Outputs);
    const auto otherOutputs = allocTensors(client_, first, Side::Outputs);
    inputs.write(0, std::vector<uint8_t>(32, 1));
    otherInputs.write(0, std::vector<uint8_t>(32, 2));
    const Request request(first, inputs, outputs);
    expectRuns(client_, request);
    EXPECT_EQ(outputs.read(0)[0], 1);
    CallError error;
    ASSERT_TRUE(larodSetJobRequestInputs(request.get(), otherInputs.get(), 1, error)) << error.text();
    ASSERT_TRUE(larodSetJobRequestOutputs(request.get(), otherOutputs.get(), 1, error)) << error.text();
    expectRuns(client_, request);
    EXPECT_EQ(outputs.read(0)[0], 1);
    EXPECT_EQ(otherOutputs.read(0)[0], 2);
    ASSERT_TRUE(larodSetJobRequestModel(request.get(), second.get(), error)) << error.text();
    expectFails(client_, request, LAROD_ERROR_JOB);
    // A failing setter leaves the request as it was.
    ASSERT_TRUE(larodSetJobRequestModel(request.get(), first.get(), error)) << error.text();
    EXPECT_FALSE(larodSetJobRequestModel(request.get(), nullptr, error));
    larodTensor* none[] = {nullptr};
    EXPECT_FALSE(larodSetJobRequestInputs(request.get(), none, 1, error));
    EXPECT_FALSE(larodSetJobRequestPriority(request.get(), 101, error));
    expectRuns(client_, request);
}

TEST_F(Api_10, ParametersAreReplacedAndCleared) {
    const auto model = converter(client_, 16);
    const auto inputs = allocTensors(client_, model, Side::Inputs);
    const auto outputs = allocTensors(client_, model, Side::Outputs);
    // The left half black, the right half white.
    std::vector<uint8_t> nv12(16 * 16 * 3 / 2, 128);
    for (size_t i = 0; i < size_t{16} * 16; ++i) {
        nv12[i] = i % 16 < 8 ? 16 : 235;
    }
    inputs.write(0, nv12);
    Params right;
    right.set("image.input.crop", 8, 0, 8, 16);
    Params left;
    left.set("image.input.crop", 0, 0, 8, 16);
    const Request request(model, inputs, outputs, &right);
    expectRuns(client_, request);
    const auto white = outputs.read(0);
    EXPECT_GT(white[0], 200);
    ASSERT_TRUE(larodSetJobRequestParams(request.get(), left.get(), nullptr));
    left.set("image.input.crop", 8, 0, 8, 16);  // a copy was made
    expectRuns(client_, request);
    EXPECT_LT(outputs.read(0)[0], 50);
    EXPECT_LT(outputs.read(0)[45], 50);
    ASSERT_TRUE(larodSetJobRequestParams(request.get(), nullptr, nullptr));
    expectRuns(client_, request);
    EXPECT_LT(outputs.read(0)[0], 50);
    EXPECT_GT(outputs.read(0)[45], 200);
}

TEST_F(Api_10, RequestsAreCheckedWhenTheyGetTheirTensors) {
    const auto model = echoModel(client_, 48);
    std::vector<UniqueFd> fds;
    const auto inputs = ownTensors(client_, model, Side::Inputs, fds);
    const auto outputs = ownTensors(client_, model, Side::Outputs, fds);
    CallError error;
    const auto make = [&](larodTensor** in, size_t count) {
        larodJobRequest* request = larodCreateJobRequest(model.get(), in, count, outputs.get(), 1, nullptr, error);
        const bool made = request != nullptr;
        larodDestroyJobRequest(&request);
        return made;
    };
    larodTensor* withNull[] = {inputs[0], nullptr};
    EXPECT_FALSE(make(withNull, 2));
    EXPECT_EQ(error.code(), EINVAL);
    EXPECT_NE(error.text().find("1"), std::string::npos) << error.text();  // the place of the NULL
    const larodTensorDims three = {{3, 4, 4}, 3};
    const larodTensorPitches none = {};
    ASSERT_TRUE(larodSetTensorDims(inputs[0], &three, nullptr));
    EXPECT_FALSE(make(inputs.get(), 1));  // pitches have one entry
    EXPECT_EQ(error.code(), LAROD_ERROR_TENSOR_MISMATCH) << error.text();
    ASSERT_TRUE(larodSetTensorPitches(inputs[0], &none, nullptr));
    EXPECT_TRUE(make(inputs.get(), 1)) << error.text();
    for (const larodTensorLayout layout : {LAROD_TENSOR_LAYOUT_NHWC, LAROD_TENSOR_LAYOUT_NCHW}) {
        ASSERT_TRUE(larodSetTensorLayout(inputs[0], layout, nullptr));
        EXPECT_FALSE(make(inputs.get(), 1));
        EXPECT_EQ(error.code(), LAROD_ERROR_TENSOR_MISMATCH) << error.text();
    }
    ASSERT_TRUE(larodSetTensorLayout(inputs[0], LAROD_TENSOR_LAYOUT_420SP, nullptr));
    EXPECT_TRUE(make(inputs.get(), 1)) << error.text();
    const larodTensorDims four = {{1, 4, 4, 3}, 4};
    ASSERT_TRUE(larodSetTensorDims(inputs[0], &four, nullptr));
    EXPECT_FALSE(make(inputs.get(), 1));
    const larodTensorDims zero = {};
    ASSERT_TRUE(larodSetTensorDims(inputs[0], &zero, nullptr));
    EXPECT_TRUE(make(inputs.get(), 1)) << error.text();
    // Numbers and the model are compared when the job runs.
    larodTensor* twice[] = {inputs[0], inputs[0]};
    EXPECT_TRUE(make(twice, 2)) << error.text();
}

TEST_F(Api_10, ARequestMayBeDestroyedWhileItsJobRuns) {
    const auto model = actingModel(client_, "hang");
    const auto inputs = allocTensors(client_, model, Side::Inputs);
    const auto outputs = allocTensors(client_, model, Side::Outputs);
    {
        const Request request(model, inputs, outputs);
        ASSERT_TRUE(larodRunJobAsync(
            client_.get(), request.get(), [](void*, larodError*) {}, nullptr, nullptr));
    }
    client_.disconnect();
}

TEST_F(Api_18, PrioritiesGoFromZeroToHundred) {
    const Job job(client_, echoModel(client_, 1));
    for (const int priority : {0, 1, 50, 99, 100}) {
        EXPECT_TRUE(larodSetJobRequestPriority(job.request.get(), static_cast<uint8_t>(priority), nullptr));
        expectRuns(client_, job.request);
    }
    for (const int priority : {101, 255}) {
        EXPECT_FALSE(larodSetJobRequestPriority(job.request.get(), static_cast<uint8_t>(priority), nullptr));
    }
}

TEST_F(Api_18, TensorsHaveAtMostTwelveDimensions) {
    Params params;
    params.set("debug.echo", 1);
    params.set("debug.input.0", "uint8:1x1x1x1x1x1x1x1x1x1x2x3").set("debug.output.0", "uint8:6");
    const Job job(client_, loadParams(client_, kDebug, params));
    EXPECT_EQ(larodGetTensorDims(job.inputs[0], nullptr)->len, size_t{LAROD_TENSOR_MAX_LEN});
    expectRuns(client_, job.request);
    larodTensorDims tooMany = {};
    tooMany.len = LAROD_TENSOR_MAX_LEN + 1;
    EXPECT_FALSE(larodSetTensorDims(job.inputs[0], &tooMany, nullptr));
}

TEST_F(Api_18, AModelHasUpTo120TensorsADirection) {
    Params params;
    params.set("debug.inputs", 120).set("debug.outputs", 120);
    const auto model = loadParams(client_, kDebug, params);
    std::vector<UniqueFd> fds;
    const auto inputs = ownTensors(client_, model, Side::Inputs, fds);
    const auto outputs = ownTensors(client_, model, Side::Outputs, fds);
    expectRuns(client_, Request(model, inputs, outputs));
}

TEST_F(Api_18, ErrnosUpTo1024AreCodes) {
    Params params;
    params.set("debug.job.1", "fail:1024").set("debug.job.2", "fail:1");
    const Job job(client_, loadParams(client_, kDebug, params));
    expectFails(client_, job.request, LAROD_ERROR_MAX_ERRNO);
    expectFails(client_, job.request, 1);
}

}  // namespace
}  // namespace larod::test
