// SPDX-License-Identifier: Apache-2.0
// cpu-proc through the real library and the real service: ways to memory, letterboxes, windows, errors.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>

#include "integration/service/image_jobs.h"
#include "support/client.h"
#include "support/private_service.h"
#include "support/tflite_writer.h"

namespace larod::test {
namespace {

constexpr const char* kProc = "cpu-proc";
constexpr int64_t kWidth = 64;
constexpr int64_t kHeight = 48;
constexpr size_t kInputBytes = 64 * 48 * 3 / 2;
constexpr uint8_t kBackground = 0x5a;

struct Size {
    int64_t width;
    int64_t height;
};

// nv12 of kWidth x kHeight to rgb-interleaved.
Params& describe(Params& params, const Size& output, int64_t pitch = 0) {
    params.set("image.input.format", "nv12").set("image.input.size", kWidth, kHeight);
    params.set("image.output.format", "rgb-interleaved").set("image.output.size", output.width, output.height);
    if (pitch != 0) {
        params.set("image.output.row-pitch", pitch);
    }
    return params;
}

class Preprocessing : public testing::Test {
  protected:
    LoadedModel load(const Size& output, int64_t pitch = 0) {
        Params params;
        return loadParams(client_, kProc, describe(params, output, pitch));
    }

    // What allocated tensors give.
    std::vector<uint8_t> expected(const LoadedModel& model, std::span<const uint8_t> image,
                                  const Params* params = nullptr) {
        return runOnce(client_, model, image, params).at(0);
    }

    PrivateService service_;
    Client client_;
};

// A file of kBackground with a tensor somewhere in it.
void place(const Tensors& tensors, const UniqueFd& fd, int64_t offset, size_t length) {
    const std::vector<uint8_t> background(length, kBackground);
    ASSERT_EQ(::pwrite(fd.get(), background.data(), length, 0), static_cast<ssize_t>(length));
    ASSERT_TRUE(larodSetTensorFdOffset(tensors[0], offset, nullptr));
}

std::vector<uint8_t> contents(const UniqueFd& fd, size_t length) {
    std::vector<uint8_t> bytes(length);
    EXPECT_EQ(::pread(fd.get(), bytes.data(), length, 0), static_cast<ssize_t>(length));
    return bytes;
}

TEST_F(Preprocessing, EveryWayToMemoryAndEveryOffsetGivesTheSameBytes) {
    const auto model = load({30, 20});
    const auto image = randomBytes(kInputBytes, 1);
    const auto pixels = expected(model, image);
    for (const uint32_t props : {LAROD_FD_PROP_READWRITE, LAROD_FD_PROP_MAP, LAROD_FD_TYPE_DISK}) {
        for (const auto& [inputOffset, outputOffset] :
             {std::pair<int64_t, int64_t>{0, 0}, {1, 0}, {0, 3}, {4095, 4097}, {4096, 64}}) {
            std::vector<UniqueFd> fds;
            const auto inputs = ownTensors(client_, model, Side::Inputs, fds, props);
            const auto outputs = ownTensors(client_, model, Side::Outputs, fds, props);
            const size_t length = static_cast<size_t>(outputOffset) + pixels.size() + 100;
            place(inputs, fds[0], inputOffset, static_cast<size_t>(inputOffset) + kInputBytes + 100);
            place(outputs, fds[1], outputOffset, length);
            inputs.write(0, image);
            const auto failure = run(client_, Request(model, inputs, outputs));
            ASSERT_FALSE(failure) << failure->text;
            std::vector<uint8_t> file(length, kBackground);
            std::copy(pixels.begin(), pixels.end(), file.begin() + outputOffset);
            EXPECT_EQ(contents(fds[1], length), file) << props << " at " << inputOffset << ", " << outputOffset;
        }
    }
}

// A 20x12 picture in the middle of a 40x40 canvas: its row pitch is the canvas's, its offset the picture's corner.
TEST_F(Preprocessing, ALetterboxLeavesItsCanvasAlone) {
    constexpr size_t kPitch = 120;
    constexpr size_t kLeft = 10;
    constexpr size_t kTop = 14;
    const auto compact = load({20, 12});
    const auto boxed = load({20, 12}, kPitch);
    const auto image = randomBytes(kInputBytes, 2);
    const auto pixels = expected(compact, image);
    std::vector<uint8_t> canvas(kPitch * 40, kBackground);
    for (size_t y = 0; y < 12; ++y) {
        std::copy_n(pixels.begin() + static_cast<ptrdiff_t>(y * 60), 60,
                    canvas.begin() + static_cast<ptrdiff_t>((kTop + y) * kPitch + 3 * kLeft));
    }
    for (const bool tracked : {false, true}) {
        std::vector<UniqueFd> fds;
        const auto inputs = ownTensors(client_, boxed, Side::Inputs, fds);
        const auto outputs = ownTensors(client_, boxed, Side::Outputs, fds, LAROD_FD_PROP_MAP);
        place(outputs, fds[1], kTop * kPitch + 3 * kLeft, canvas.size());
        inputs.write(0, image);
        CallError error;
        ASSERT_TRUE(!tracked || larodTrackTensor(client_.get(), outputs[0], error)) << error.text();
        const auto failure = run(client_, Request(boxed, inputs, outputs));
        ASSERT_FALSE(failure) << failure->text;
        EXPECT_EQ(contents(fds[1], canvas.size()), canvas);
    }
}

TEST_F(Preprocessing, TheOutputIsTheNextModelsInput) {
    TfliteWriter writer;
    const auto x = writer.input("image", ElementType::Uint8, {1, 20, 30, 3}, {1.0F, 0});
    writer.output(writer.reshape(x, "flat", {1, 1800}));
    const auto network = loadFile(client_, "cpu-tflite", writer.build());
    const auto model = load({30, 20});
    const auto image = randomBytes(kInputBytes, 3);
    const auto pixels = expected(model, image);
    const auto frame = allocTensors(client_, model, Side::Inputs);
    const auto between = allocTensors(client_, model, Side::Outputs);
    const auto results = allocTensors(client_, network, Side::Outputs);
    frame.write(0, image);
    for (const auto& request :
         {std::make_unique<Request>(model, frame, between), std::make_unique<Request>(network, between, results)}) {
        const auto failure = run(client_, *request);
        ASSERT_FALSE(failure) << failure->text;
    }
    EXPECT_EQ(results.read(0), pixels);
}

TEST_F(Preprocessing, AlternatingWindowsOfOneModelAreIndependent) {
    const auto model = load({30, 20});
    const auto image = randomBytes(kInputBytes, 4);
    TwoWindows windows;
    for (WindowCase* each : {&windows.left, &windows.right}) {
        each->results = runOnce(client_, load({30, 20}), image, &each->params);
    }
    expectIndependentWindows(client_, model, image, windows);
}

TEST_F(Preprocessing, TheWindowCanBeSetOnTheRequest) {
    const auto model = load({30, 20});
    const auto image = randomBytes(kInputBytes, 5);
    Params window;
    window.set("image.input.crop", 5, 7, 20, 10);
    const auto pixels = expected(model, image, &window);
    const auto inputs = allocTensors(client_, model, Side::Inputs);
    const auto outputs = allocTensors(client_, model, Side::Outputs);
    inputs.write(0, image);
    const Request request(model, inputs, outputs);
    CallError error;
    ASSERT_TRUE(larodSetJobRequestParams(request.get(), window.get(), error)) << error.text();
    const auto failure = run(client_, request);
    ASSERT_FALSE(failure) << failure->text;
    EXPECT_EQ(outputs.read(0), pixels);
}

TEST_F(Preprocessing, AWindowThatTouchesTheBorderRunsAndOneBeyondItFails) {
    const auto model = load({30, 20});
    const auto inputs = allocTensors(client_, model, Side::Inputs);
    const auto outputs = allocTensors(client_, model, Side::Outputs);
    const auto outcome = [&](int64_t x, int64_t y, int64_t width, int64_t height) {
        Params window;
        window.set("image.input.crop", x, y, width, height);
        const auto failure = run(client_, Request(model, inputs, outputs, &window));
        EXPECT_TRUE(!failure || failure->text.find("image.input.crop") != std::string::npos) << failure->text;
        return failure ? failure->code : int{LAROD_ERROR_NONE};
    };
    EXPECT_EQ(outcome(0, 0, 64, 48), LAROD_ERROR_NONE);
    EXPECT_EQ(outcome(0, 10, 1, 1), LAROD_ERROR_NONE);
    EXPECT_EQ(outcome(63, 10, 1, 1), LAROD_ERROR_NONE);
    EXPECT_EQ(outcome(10, 0, 1, 1), LAROD_ERROR_NONE);
    EXPECT_EQ(outcome(10, 47, 1, 1), LAROD_ERROR_NONE);
    EXPECT_EQ(outcome(64, 10, 1, 1), LAROD_ERROR_JOB);
    EXPECT_EQ(outcome(-1, 10, 1, 1), LAROD_ERROR_JOB);
    EXPECT_EQ(outcome(0, 1, 64, 48), LAROD_ERROR_JOB);
    Params text;
    text.set("image.input.crop", "0,0,1,1");
    const auto failure = run(client_, Request(model, inputs, outputs, &text));
    ASSERT_TRUE(failure);
    EXPECT_EQ(failure->code, LAROD_ERROR_JOB);
    EXPECT_EQ(outcome(0, 0, 64, 48), LAROD_ERROR_NONE);
}

TEST_F(Preprocessing, ADescriptionThatCannotBeFailsTheLoad) {
    EXPECT_EQ(loadFailure(client_, kProc, -1, nullptr).code, LAROD_ERROR_FD);
    const UniqueFd fd = memoryFile(randomBytes(100, 6));
    EXPECT_EQ(loadFailure(client_, kProc, fd.get(), nullptr).code, LAROD_ERROR_LOAD_MODEL);
    Params empty;
    const auto missing = loadFailure(client_, kProc, -1, &empty);
    EXPECT_EQ(missing.code, LAROD_ERROR_LOAD_MODEL);
    EXPECT_NE(missing.text.find("image.input.format"), std::string::npos) << missing.text;
    Params odd;
    EXPECT_EQ(loadFailure(client_, kProc, -1, &describe(odd, {31, 20})).code, LAROD_ERROR_LOAD_MODEL);
    Params typo;
    describe(typo, {30, 20}).set("image.ouput.filter", "box");
    const auto unknown = loadFailure(client_, kProc, -1, &typo);
    EXPECT_EQ(unknown.code, LAROD_ERROR_LOAD_MODEL);
    EXPECT_NE(unknown.text.find("image.ouput.filter"), std::string::npos) << unknown.text;
}

TEST_F(Preprocessing, FloatsReachTheClient) {
    Params params;
    describe(params, {30, 20}).set("image.output.type", "float32").set("image.output.mean", "127.5");
    params.set("image.output.scale", "127.5");
    const auto floats = loadParams(client_, kProc, params);
    const auto bytes = load({30, 20});
    const auto image = randomBytes(kInputBytes, 7);
    const auto pixels = expected(bytes, image);
    const auto values = expected(floats, image);
    ASSERT_EQ(values.size(), 4 * pixels.size());
    for (size_t i = 0; i < pixels.size(); ++i) {
        float value = 0;
        std::copy_n(values.begin() + static_cast<ptrdiff_t>(4 * i), 4, reinterpret_cast<uint8_t*>(&value));
        ASSERT_FLOAT_EQ(value, (static_cast<float>(pixels[i]) - 127.5F) / 127.5F) << i;
    }
}

}  // namespace
}  // namespace larod::test
