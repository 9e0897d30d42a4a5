// SPDX-License-Identifier: Apache-2.0
// Networks that take images, through the real library and the real service: each result against that of the two jobs.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>

#include "integration/service/image_jobs.h"
#include "support/client.h"
#include "support/private_service.h"
#include "support/tflite_writer.h"

namespace larod::test {
namespace {

constexpr const char* kNetworks = "cpu-tflite";
constexpr int64_t kWidth = 64;
constexpr int64_t kHeight = 48;
constexpr int64_t kPitch = 80;
constexpr size_t kFrameBytes = 80 * 48 * 3 / 2;

// What stays after the image: its pixels, and a convolution of them.
std::vector<uint8_t> network() {
    TfliteWriter writer;
    const auto image = writer.input("image", ElementType::Float32, {1, 20, 30, 3});
    std::vector<float> weights(2 * 3 * 3 * 3);
    for (size_t i = 0; i < weights.size(); ++i) {
        weights[i] = static_cast<float>(i % 5) / 4 - 0.5F;
    }
    const auto filter = writer.constant("filter", ElementType::Float32, {2, 3, 3, 3}, weights);
    const auto bias = writer.constant("bias", ElementType::Float32, {2}, std::vector<float>{1, -1});
    writer.output(writer.reshape(image, "pixels", {1800}));
    writer.output(writer.conv2d(image, filter, bias, "convolved", {1, 20, 30, 2}));
    return writer.build();
}

// An nv12 frame with padded rows, to floats from -1 to 1.
Params& describeFrame(Params& params) {
    params.set("image.input.format", "nv12").set("image.input.size", kWidth, kHeight);
    params.set("image.input.row-pitch", kPitch);
    return params.set("image.output.mean", "127.5").set("image.output.scale", "127.5");
}

LoadedModel loadFused(const Client& client, larodAccess access = LAROD_ACCESS_PRIVATE) {
    Params params;
    return loadFile(client, kNetworks, network(), access, &describeFrame(params));
}

// What a job of cpu-proc and one of the network give.
Results twoJobs(const Client& client, std::span<const uint8_t> frame, const Params* params = nullptr) {
    Params description;
    describeFrame(description).set("image.output.format", "rgb-interleaved").set("image.output.size", 30, 20);
    description.set("image.output.type", "float32");
    const auto conversion = loadParams(client, "cpu-proc", description);
    const auto frames = allocTensors(client, conversion, Side::Inputs);
    const auto between = allocTensors(client, conversion, Side::Outputs);
    frames.write(0, frame);
    const auto failure = run(client, Request(conversion, frames, between, params));
    EXPECT_FALSE(failure) << failure->text;
    return runOnce(client, loadFile(client, kNetworks, network()), between.read(0));
}

class Fused : public testing::Test {
  protected:
    PrivateService service_{{"--threads", "1"}};
    Client client_;
};

TEST_F(Fused, TheInputIsTheImageAndTheOutputsAreTheNetworks) {
    const auto model = loadFused(client_);
    ASSERT_EQ(larodGetModelNumInputs(model.get(), nullptr), 1U);
    ASSERT_EQ(larodGetModelNumOutputs(model.get(), nullptr), 2U);
    const auto inputs = allocTensors(client_, model, Side::Inputs);
    const auto outputs = allocTensors(client_, model, Side::Outputs);
    EXPECT_STREQ(larodGetTensorName(inputs[0], nullptr), "image");
    EXPECT_EQ(larodGetTensorLayout(inputs[0], nullptr), LAROD_TENSOR_LAYOUT_420SP);
    EXPECT_EQ(larodGetTensorDataType(inputs[0], nullptr), LAROD_TENSOR_DATA_TYPE_UINT8);
    const larodTensorDims* dims = larodGetTensorDims(inputs[0], nullptr);
    EXPECT_EQ(std::vector(dims->dims, dims->dims + dims->len), (std::vector<size_t>{3, kHeight, kWidth}));
    const larodTensorPitches* pitches = larodGetTensorPitches(inputs[0], nullptr);
    EXPECT_EQ(std::vector(pitches->pitches, pitches->pitches + pitches->len),
              (std::vector<size_t>{kFrameBytes, kPitch * kHeight, kPitch}));
    EXPECT_EQ(larodGetTensorDataType(outputs[0], nullptr), LAROD_TENSOR_DATA_TYPE_FLOAT32);
    EXPECT_STREQ(larodGetTensorName(outputs[1], nullptr), "convolved");
}

TEST_F(Fused, EveryWayToMemoryAndEveryOffsetGivesWhatTheTwoJobsGive) {
    const auto frame = randomBytes(kFrameBytes, 1);
    const Results expected = twoJobs(client_, frame);
    const auto model = loadFused(client_);
    EXPECT_EQ(runOnce(client_, model, frame), expected);
    for (const uint32_t props : {LAROD_FD_PROP_READWRITE, LAROD_FD_PROP_MAP, LAROD_FD_TYPE_DISK}) {
        for (const int64_t offset : {0, 1, 4095, 4096}) {
            for (const bool tracked : {false, true}) {
                std::vector<UniqueFd> fds;
                const auto inputs = ownTensors(client_, model, Side::Inputs, fds, props);
                const auto outputs = ownTensors(client_, model, Side::Outputs, fds, props);
                ASSERT_EQ(::ftruncate(fds[0].get(), offset + static_cast<off_t>(kFrameBytes)), 0);
                ASSERT_TRUE(larodSetTensorFdOffset(inputs[0], offset, nullptr));
                inputs.write(0, frame);
                CallError error;
                ASSERT_TRUE(!tracked || larodTrackTensor(client_.get(), inputs[0], error)) << error.text();
                for (int round = 0; round < 2; ++round) {
                    const auto failure = run(client_, Request(model, inputs, outputs));
                    ASSERT_FALSE(failure) << failure->text;
                    EXPECT_EQ(resultsOf(outputs), expected) << props << " at " << offset << ", " << tracked;
                }
            }
        }
    }
}

TEST_F(Fused, EachJobHasItsOwnWindow) {
    const auto frame = randomBytes(kFrameBytes, 2);
    TwoWindows windows;
    for (WindowCase* each : {&windows.left, &windows.right}) {
        each->results = twoJobs(client_, frame, &each->params);
    }
    expectIndependentWindows(client_, loadFused(client_), frame, windows);
}

// What it was loaded with goes with it.
TEST_F(Fused, APublicModelTakesTheSameImageInAnotherSession) {
    const auto frame = randomBytes(kFrameBytes, 3);
    const auto model = loadFused(client_, LAROD_ACCESS_PUBLIC);
    const Results expected = runOnce(client_, model, frame);
    const Client other;
    CallError error;
    const LoadedModel found(larodGetModel(other.get(), larodGetModelId(model.get(), nullptr), error));
    ASSERT_NE(found.get(), nullptr) << error.text();
    EXPECT_EQ(runOnce(other, found, frame), expected);
    Params window;
    window.set("image.input.crop", 1, 3, 31, 41);
    EXPECT_EQ(runOnce(other, found, frame, &window), runOnce(client_, model, frame, &window));
}

// The same file twice in one session: as it is, and with images.
TEST_F(Fused, TheSameFileWithoutParametersIsTheNetworkAlone) {
    const auto fused = loadFused(client_);
    const auto plain = loadFile(client_, kNetworks, network());
    EXPECT_EQ(larodGetTensorLayout(allocTensors(client_, plain, Side::Inputs)[0], nullptr), LAROD_TENSOR_LAYOUT_NHWC);
    const auto frame = randomBytes(kFrameBytes, 4);
    const Results expected = runOnce(client_, fused, frame);
    EXPECT_EQ(runOnce(client_, plain, expected[0]), expected);
}

TEST_F(Fused, ErrorsNameTheStage) {
    const UniqueFd fd = memoryFile(network());
    Params wrong;
    const auto size = loadFailure(client_, kNetworks, fd.get(), &describeFrame(wrong).set("image.output.size", 20, 30));
    EXPECT_EQ(size.code, LAROD_ERROR_LOAD_MODEL);
    EXPECT_TRUE(size.text.starts_with("preprocessing: load parameter 'image.output.size': expected (30, 20), "))
        << size.text;
    const UniqueFd noNetwork = memoryFile(randomBytes(100, 5));
    Params right;
    const auto file = loadFailure(client_, kNetworks, noNetwork.get(), &describeFrame(right));
    EXPECT_EQ(file.code, LAROD_ERROR_LOAD_MODEL);
    EXPECT_TRUE(file.text.starts_with("inference: ")) << file.text;

    const auto model = loadFused(client_);
    const auto inputs = allocTensors(client_, model, Side::Inputs);
    const auto outputs = allocTensors(client_, model, Side::Outputs);
    Params window;
    window.set("image.input.crop", 0, 0, kWidth + 1, kHeight);
    const auto job = run(client_, Request(model, inputs, outputs, &window));
    ASSERT_TRUE(job);
    EXPECT_EQ(job->code, LAROD_ERROR_JOB);
    EXPECT_TRUE(job->text.starts_with("preprocessing: parameter 'image.input.crop': ")) << job->text;
    EXPECT_FALSE(run(client_, Request(model, inputs, outputs)));
}

TEST(FusedProfile, ProductsHaveNoFusedJobsAndOurDeviceBesideThemHas) {
    const PrivateService service({"--profile", "artpec8"});
    const Client client;
    const UniqueFd fd = memoryFile(network());
    Params params;
    const auto product = loadFailure(client, "axis-a8-dlpu-tflite", fd.get(), &describeFrame(params));
    EXPECT_EQ(product.code, LAROD_ERROR_LOAD_MODEL);
    EXPECT_TRUE(product.text.starts_with("unknown load parameter 'image.input.format': axis-a8-dlpu-tflite "))
        << product.text;
    const auto frame = randomBytes(kFrameBytes, 6);
    EXPECT_EQ(runOnce(client, loadFused(client), frame), twoJobs(client, frame));
}

}  // namespace
}  // namespace larod::test
