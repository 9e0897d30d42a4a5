// SPDX-License-Identifier: Apache-2.0
// Networks through the service: models made here with known answers, and the demo's network against the same engine in
// this process.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <optional>
#include <random>
#include <thread>

#include "device/litert/litert_device.h"
#include "support/client.h"
#include "support/private_service.h"
#include "support/tflite_writer.h"

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

TEST_F(Networks, AGeneratedNetworkWithSeveralInputsAndOutputsAnswersRight) {
    TfliteWriter writer;
    const auto a = writer.input("a", ElementType::Float32, {1, 4});
    const auto b = writer.input("b", ElementType::Float32, {1, 4});
    const auto c = writer.input("c", ElementType::Int16, {2, 2});
    writer.output(writer.add(a, b, "sum"));
    writer.output(writer.reshape(c, "flat", {4}));
    const auto model = loadFile(client_, kCpu, writer.build());
    const auto inputs = allocTensors(client_, model, Side::Inputs);
    const auto outputs = allocTensors(client_, model, Side::Outputs);
    ASSERT_EQ(inputs.size(), 3U);
    EXPECT_STREQ(larodGetTensorName(inputs[1], nullptr), "b");
    const auto bytes = [](const auto& values) {
        const auto* begin = reinterpret_cast<const uint8_t*>(values.data());
        return std::vector<uint8_t>(begin, begin + values.size() * sizeof(values[0]));
    };
    inputs.write(0, bytes(std::vector<float>{1, 2, 3, 4}));
    inputs.write(1, bytes(std::vector<float>{10, 20, 30, 40}));
    inputs.write(2, bytes(std::vector<int16_t>{-1, 2, -3, 4}));
    const auto failure = run(client_, Request(model, inputs, outputs));
    ASSERT_FALSE(failure) << failure->text;
    EXPECT_EQ(outputs.read(0), bytes(std::vector<float>{11, 22, 33, 44}));
    EXPECT_EQ(outputs.read(1), bytes(std::vector<int16_t>{-1, 2, -3, 4}));
}

TEST_F(Networks, UnalignedAndUntrackedTensorsGiveTheSameBytes) {
    const auto file = readFile(LAROD_FACE_MODEL_PATH);
    const auto model = loadFile(client_, kCpu, file);
    const auto allocatedIn = allocTensors(client_, model, Side::Inputs);
    const auto allocatedOut = allocTensors(client_, model, Side::Outputs);
    const std::vector<uint8_t> input = randomBytes(128 * 128 * 3 * 4, 5);
    // Any bytes will do but the exponents of NaN and infinity.
    std::vector<uint8_t> finite = input;
    for (size_t i = 3; i < finite.size(); i += 4) {
        finite[i] = static_cast<uint8_t>(0x3c | (finite[i] & 0x80));
    }
    allocatedIn.write(0, finite);
    ASSERT_FALSE(run(client_, Request(model, allocatedIn, allocatedOut)));
    const auto expected = allocatedOut.read(0);
    for (const uint32_t props : {LAROD_FD_PROP_READWRITE, LAROD_FD_PROP_MAP}) {
        for (const int64_t offset : {0, 1, 64, 4095}) {
            std::vector<UniqueFd> fds;
            const auto inputs = ownTensors(client_, model, Side::Inputs, fds, props);
            const auto outputs = ownTensors(client_, model, Side::Outputs, fds, props);
            for (const Tensors* tensors : {&inputs, &outputs}) {
                for (size_t i = 0; i < tensors->size(); ++i) {
                    size_t size = 0;
                    ASSERT_TRUE(larodGetTensorByteSize((*tensors)[i], &size, nullptr));
                    ASSERT_EQ(::ftruncate(larodGetTensorFd((*tensors)[i], nullptr), static_cast<off_t>(size) + offset),
                              0);
                    ASSERT_TRUE(larodSetTensorFdOffset((*tensors)[i], offset, nullptr));
                }
            }
            inputs.write(0, finite);
            const auto failure = run(client_, Request(model, inputs, outputs));
            ASSERT_FALSE(failure) << failure->text;
            EXPECT_EQ(outputs.read(0), expected) << "props " << props << ", offset " << offset;
        }
    }
}

TEST_F(Networks, APublicNetworkIsUsedByOthersAndOutlivesItsSession) {
    TfliteWriter writer;
    const auto a = writer.input("a", ElementType::Float32, {1, 4});
    const auto b = writer.input("b", ElementType::Float32, {1, 4});
    writer.output(writer.add(a, b, "sum"));
    std::optional<LoadedModel> model;
    {
        const Client owner;
        model.emplace(loadFile(owner, kCpu, writer.build(), LAROD_ACCESS_PUBLIC));
    }
    const auto inputs = allocTensors(client_, *model, Side::Inputs);
    const auto outputs = allocTensors(client_, *model, Side::Outputs);
    const std::vector<float> values = {1, 2, 3, 4};
    const auto* begin = reinterpret_cast<const uint8_t*>(values.data());
    for (const size_t input : {0U, 1U}) {
        inputs.write(input, {begin, values.size() * sizeof(float)});
    }
    const auto failure = run(client_, Request(*model, inputs, outputs));
    ASSERT_FALSE(failure) << failure->text;
    const auto bytes = outputs.read(0);
    std::vector<float> sum(4);
    std::memcpy(sum.data(), bytes.data(), bytes.size());
    EXPECT_EQ(sum, (std::vector<float>{2, 4, 6, 8}));
    EXPECT_TRUE(larodDeleteModel(client_.get(), model->get(), nullptr));
}

TEST_F(Networks, TheEnginesOwnTextReachesTheClient) {
    TfliteWriter writer;
    writer.output(writer.custom(writer.input("x", ElementType::Float32, {4}), "NoSuchOperation", "y"));
    const UniqueFd fd = memoryFile(writer.build());
    const Failure failure = loadFailure(client_, kCpu, fd.get(), nullptr);
    EXPECT_EQ(failure.code, LAROD_ERROR_LOAD_MODEL);
    EXPECT_NE(failure.text.find("NoSuchOperation"), std::string::npos) << failure.text;
    // The text of a compilation comes another way; under the sandbox, too.
    TfliteWriter another;
    another.output(another.unknownBuiltin(another.input("x", ElementType::Float32, {4}), "y"));
    const UniqueFd second = memoryFile(another.build());
    const Failure compilation = loadFailure(client_, kCpu, second.get(), nullptr);
    EXPECT_NE(compilation.text.find("120000"), std::string::npos) << compilation.text;
}

// Mutated networks load, fail or end their session; the service and its other clients go on. (litert.md: some crash.)
TEST_F(Networks, MutatedNetworksHurtNobodyElse) {
    const auto good = readFile(LAROD_FACE_MODEL_PATH);
    std::mt19937 generator(7);
    int refused = 0;
    int ended = 0;
    for (int i = 0; i < 60; ++i) {
        auto bad = good;
        for (int change = 0; change < 8; ++change) {
            bad[generator() % 4096] = static_cast<uint8_t>(generator());  // the tables at the start, not the weights
            bad[bad.size() - 1 - generator() % 20000] = static_cast<uint8_t>(generator());
        }
        const Client client;
        const UniqueFd fd = memoryFile(bad);
        CallError error;
        const LoadedModel model(
            larodLoadModel(client.get(), fd.get(), client.device(kCpu), LAROD_ACCESS_PRIVATE, "bad", nullptr, error));
        refused += model.get() == nullptr && error.code() == LAROD_ERROR_LOAD_MODEL ? 1 : 0;
        ended += error.code() == LAROD_ERROR_CONNECTION ? 1 : 0;
        EXPECT_TRUE(model.get() != nullptr || error.code() == LAROD_ERROR_LOAD_MODEL ||
                    error.code() == LAROD_ERROR_CONNECTION || error.code() == LAROD_ERROR_ALLOC ||
                    error.code() == ENOMEM)
            << error.code() << ": " << error.text();
    }
    EXPECT_GT(refused, 0);
    RecordProperty("sessions ended", ended);
    EXPECT_NE(loadFile(client_, kCpu, good).get(), nullptr);
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
