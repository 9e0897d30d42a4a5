// SPDX-License-Identifier: Apache-2.0
// Networks through the service: models made here with known answers, and the demo's network against the same engine in
// this process.
#include <fcntl.h>
#include <gtest/gtest.h>

#include <cstring>
#include <thread>

#include "device/litert/litert_device.h"
#include "support/client.h"
#include "support/private_service.h"

namespace larod::test {
namespace {

constexpr const char* kCpu = "cpu-tflite";

class Networks : public testing::Test {
  protected:
    PrivateService service_{{"--threads", "1"}};
    Client client_;
};

// What the engine itself answers, in this process, to the same inputs.
std::vector<std::vector<uint8_t>> runInProcess(std::span<const uint8_t> file,
                                               const std::vector<std::vector<uint8_t>>& inputs) {
    const auto device = device::makeLitertDevice();
    device->warmUp();
    std::vector<std::byte> padded(file.size() + device::kReadableBytesBehind);
    std::memcpy(padded.data(), file.data(), file.size());
    const auto model = device->load({std::span<const std::byte>(padded).first(file.size()), nullptr}, 1);
    std::vector<std::vector<std::byte>> memory;
    std::vector<std::unique_ptr<device::Binding>> owned;
    std::vector<device::Binding*> in;
    std::vector<device::Binding*> out;
    const auto add = [&](Direction direction, size_t index, size_t size) {
        memory.emplace_back(size + device::kReadableBytesBehind);
        owned.push_back(model->bind(direction, index, std::span(memory.back()).first(size)));
        return owned.back().get();
    };
    memory.reserve(model->inputs().size() + model->outputs().size());
    for (size_t i = 0; i < model->inputs().size(); ++i) {
        in.push_back(add(Direction::Input, i, model->inputs()[i].byteSize()));
        std::memcpy(memory.back().data(), inputs[i].data(), inputs[i].size());
    }
    for (size_t i = 0; i < model->outputs().size(); ++i) {
        out.push_back(add(Direction::Output, i, model->outputs()[i].byteSize()));
    }
    model->run({in, out, ParamMap()});
    std::vector<std::vector<uint8_t>> results;
    for (size_t i = 0; i < model->outputs().size(); ++i) {
        const auto& bytes = memory[model->inputs().size() + i];
        const auto* begin = reinterpret_cast<const uint8_t*>(bytes.data());
        results.emplace_back(begin, begin + model->outputs()[i].byteSize());
    }
    owned.clear();
    return results;
}

TEST_F(Networks, TheDemosNetworkAnswersByteForByteAsInProcess) {
    const auto file = readFile(LAROD_FACE_MODEL_PATH);
    const auto model = loadFile(client_, kCpu, file);
    const auto inputs = allocTensors(client_, model, Side::Inputs);
    const auto outputs = allocTensors(client_, model, Side::Outputs);
    ASSERT_EQ(inputs.size(), 1U);
    ASSERT_EQ(outputs.size(), 2U);
    std::vector<float> pixels(128 * 128 * 3);
    for (size_t i = 0; i < pixels.size(); ++i) {
        pixels[i] = static_cast<float>((i * 7919) % 256) / 127.5F - 1.0F;
    }
    const std::vector<uint8_t> input(reinterpret_cast<const uint8_t*>(pixels.data()),
                                     reinterpret_cast<const uint8_t*>(pixels.data() + pixels.size()));
    inputs.write(0, input);
    const auto failure = run(client_, Request(model, inputs, outputs));
    ASSERT_FALSE(failure) << failure->text;
    const auto expected = runInProcess(file, {input});
    EXPECT_EQ(outputs.read(0), expected[0]);
    EXPECT_EQ(outputs.read(1), expected[1]);
}

TEST_F(Networks, WrongFilesAreRefusedWithTheReasonAndTheServiceGoesOn) {
    const auto good = readFile(LAROD_FACE_MODEL_PATH);
    const auto expectRefused = [&](std::span<const uint8_t> content, int code) {
        const UniqueFd fd = memoryFile(content);
        const Failure failure = loadFailure(client_, kCpu, fd.get(), nullptr);
        EXPECT_EQ(failure.code, code) << failure.text;
        EXPECT_GT(failure.text.size(), 10U);
    };
    expectRefused({}, LAROD_ERROR_LOAD_MODEL);
    expectRefused(randomBytes(5000, 1), LAROD_ERROR_LOAD_MODEL);
    for (const size_t length : {size_t{4}, size_t{100}, good.size() / 2, good.size() - 100}) {
        expectRefused(std::span(good).first(length), LAROD_ERROR_LOAD_MODEL);
    }
    const UniqueFd directory(::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    EXPECT_EQ(loadFailure(client_, kCpu, directory.get(), nullptr).code, LAROD_ERROR_FD);
    int ends[2] = {-1, -1};
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    const UniqueFd readEnd(ends[0]);
    const UniqueFd writeEnd(ends[1]);
    EXPECT_EQ(loadFailure(client_, kCpu, readEnd.get(), nullptr).code, LAROD_ERROR_FD);
    EXPECT_EQ(loadFailure(client_, kCpu, -1, nullptr).code, LAROD_ERROR_FD);
    EXPECT_NE(loadFile(client_, kCpu, good).get(), nullptr);
}

TEST_F(Networks, AnUnknownDeviceIsRefused) {
    CallError error;
    EXPECT_EQ(larodGetDevice(client_.get(), "no-such-device", 0, error), nullptr);
    EXPECT_EQ(error.code(), LAROD_ERROR_INVALID_CHIP_ID);
    EXPECT_NE(error.text().find("no-such-device"), std::string::npos) << error.text();
    EXPECT_EQ(larodLoadModel(client_.get(), -1, nullptr, LAROD_ACCESS_PRIVATE, "", nullptr, error), nullptr);
    EXPECT_EQ(error.code(), EINVAL);
}

TEST_F(Networks, LoadingBesideRunningJobsDisturbsNeither) {
    const auto file = readFile(LAROD_FACE_MODEL_PATH);
    const auto model = loadFile(client_, kCpu, file);
    const auto inputs = allocTensors(client_, model, Side::Inputs);
    const auto outputs = allocTensors(client_, model, Side::Outputs);
    const Request request(model, inputs, outputs);
    ASSERT_FALSE(run(client_, request));
    const auto expected = outputs.read(0);
    std::thread loading([&] {
        for (int i = 0; i < 5; ++i) {
            const auto another = loadFile(client_, kCpu, file);
            EXPECT_TRUE(larodDeleteModel(client_.get(), another.get(), nullptr));
        }
    });
    for (int i = 0; i < 30; ++i) {
        EXPECT_FALSE(run(client_, request));
        EXPECT_EQ(outputs.read(0), expected);
    }
    loading.join();
}

}  // namespace
}  // namespace larod::test
