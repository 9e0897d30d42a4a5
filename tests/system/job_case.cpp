// SPDX-License-Identifier: Apache-2.0
#include "system/job_case.h"

#include <cstring>

#include "support/tflite_writer.h"

namespace larod::test {
namespace {

LoadedModel load(const Client& client, const std::string& device, size_t bytes) {
    if (device == "debug-device") {
        const std::string description = "uint8:" + std::to_string(bytes);
        Params params;
        params.set("debug.input.0", description.c_str())
            .set("debug.output.0", description.c_str())
            .set("debug.echo", 1);
        return loadParams(client, device.c_str(), params);
    }
    if (device == "cpu-tflite") {
        const auto count = static_cast<int32_t>(bytes / sizeof(float));
        TfliteWriter writer;
        const auto x = writer.input("x", ElementType::Float32, {1, count});
        const auto one = writer.constant<float>("one", ElementType::Float32, {1, count},
                                                std::vector<float>(bytes / sizeof(float), 1));
        writer.output(writer.add(x, one, "y"));
        return loadFile(client, device.c_str(), writer.build());
    }
    if (device == "cpu-tflite-fused") {
        TfliteWriter writer;
        const auto image = writer.input("image", ElementType::Uint8, {1, 32, 32, 3});
        writer.output(writer.reshape(image, "same", {3072}));
        Params params;
        params.set("image.input.format", "rgb-interleaved").set("image.input.size", 64, 64);
        return loadFile(client, "cpu-tflite", writer.build(), LAROD_ACCESS_PRIVATE, &params);
    }
    const bool converter = device == "v4l2-proc";  // the kernel's own takes no image below 32x32, and these exactly
    Params params;
    params.set("image.input.format", "rgb-interleaved").set("image.output.format", "rgb-interleaved");
    params.set("image.input.size", converter ? 640 : 64, converter ? 480 : 64);
    params.set("image.output.size", converter ? 320 : 32, converter ? 240 : 32);
    return loadParams(client, device.c_str(), params);
}

size_t sizeOf(const LoadedModel& model, Side side) {
    size_t count = 0;
    auto* create = side == Side::Inputs ? larodCreateModelInputs : larodCreateModelOutputs;
    larodTensor** tensors = create(model.get(), &count, nullptr);
    size_t bytes = 0;
    EXPECT_TRUE(larodGetTensorByteSize(tensors[0], &bytes, nullptr));
    EXPECT_TRUE(larodDestroyTensors(nullptr, &tensors, count, nullptr));
    return bytes;
}

Tensors makeTensors(const Client& client, const LoadedModel& model, Side side, const Place& place) {
    size_t count = 0;
    auto* create = side == Side::Inputs ? larodCreateModelInputs : larodCreateModelOutputs;
    larodTensor** tensors = create(model.get(), &count, nullptr);
    CallError error;
    EXPECT_EQ(count, 1U);
    EXPECT_TRUE(larodSetTensorFd(tensors[0], place.fd, error)) << error.text();
    EXPECT_TRUE(larodSetTensorFdOffset(tensors[0], place.offset, error)) << error.text();
    EXPECT_TRUE(larodSetTensorFdProps(tensors[0], place.props, error)) << error.text();
    if (place.tracked) {
        EXPECT_TRUE(larodTrackTensor(client.get(), tensors[0], error)) << error.text();
    }
    return {client, tensors, count};
}

}  // namespace

JobCase::JobCase(const Client& client, const std::string& device, size_t bytes)
    : model_(load(client, device, bytes)),
      floats_(device == "cpu-tflite"),
      inputBytes_(sizeOf(model_, Side::Inputs)),
      outputBytes_(sizeOf(model_, Side::Outputs)) {}

std::vector<uint8_t> JobCase::pattern(uint64_t seed) const {
    if (!floats_) {
        return randomBytes(inputBytes_, seed);
    }
    std::vector<float> values(inputBytes_ / sizeof(float));
    for (size_t i = 0; i < values.size(); ++i) {
        values[i] = static_cast<float>((i * 7 + seed * 1000) % 100'000);
    }
    std::vector<uint8_t> bytes(inputBytes_);
    std::memcpy(bytes.data(), values.data(), bytes.size());
    return bytes;
}

JobCase::Tensored::Tensored(const JobCase& job, const Client& client, const Place& input, const Place& output)
    : job_(job),
      client_(client),
      inputs_(makeTensors(client, job.model(), Side::Inputs, input)),
      outputs_(makeTensors(client, job.model(), Side::Outputs, output)) {}

std::optional<Failure> JobCase::Tensored::run(const Params* params) const {
    const Request request(job_.model(), inputs_, outputs_, params);
    return test::run(client_, request);
}

std::vector<uint8_t> JobCase::expected(const Client& client, std::span<const uint8_t> input) const {
    const UniqueFd in = makeBuffer(Exporter::MemoryFile, inputBytes_);
    const UniqueFd out = makeBuffer(Exporter::MemoryFile, outputBytes_);
    writeBuffer(in.get(), 0, input);
    const Tensored tensors(*this, client, {.fd = in.get()}, {.fd = out.get()});
    const auto failure = tensors.run();
    EXPECT_FALSE(failure) << failure->text;
    return readBuffer(out.get(), 0, outputBytes_);
}

}  // namespace larod::test
