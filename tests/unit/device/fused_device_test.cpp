// SPDX-License-Identifier: Apache-2.0
// Networks that take images: each result against that of a conversion and a network one after the other.
#include "device/fused_device.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "base/error.h"
#include "device/litert/litert_device.h"
#include "device/proc/proc_device.h"
#include "support/tflite_writer.h"
#include "unit/litert/network.h"
#include "unit/proc/proc_job.h"
#include "unit/session/fake_device.h"

namespace larod::device {
namespace {

using proc::Entries;
using proc::makeMap;
using proc::number;
using proc::ProcJob;
using proc::size;
using proc::text;
using proc::window;
using session::test::bytesSpec;
using session::test::errorOf;
using session::test::FakeDevice;
using session::test::memoryOf;
using test::ElementType;
using test::Network;
using test::TfliteWriter;

const std::string kLoadCode = std::to_string(LAROD_ERROR_LOAD_MODEL) + ": ";
const std::string kJobCode = std::to_string(LAROD_ERROR_JOB) + ": ";

Device& fusedDevice() {
    static const std::unique_ptr<Device> device = [] {
        auto made = makeFused(makeLitertDevice(), makeProcDevice());
        made->warmUp();
        return made;
    }();
    return *device;
}

std::vector<uint8_t> randomBytes(size_t count) {
    std::mt19937 generator(static_cast<uint32_t>(count));
    std::vector<uint8_t> bytes(count);
    std::ranges::generate(bytes, [&generator] { return static_cast<uint8_t>(generator()); });
    return bytes;
}

constexpr int32_t kImageWidth = 21;  // of the network's image
constexpr int32_t kImageHeight = 18;

// Gives its image out again, and where it has floats what a convolution makes of it, too.
std::vector<uint8_t> imageNetwork(ElementType type) {
    TfliteWriter writer;
    const auto image = writer.input("image", type, {1, kImageHeight, kImageWidth, 3});
    writer.output(writer.reshape(image, "same", {1, kImageHeight * kImageWidth * 3}));
    if (type == ElementType::Float32) {
        std::vector<float> weights(2 * 3 * 3 * 3);
        for (size_t i = 0; i < weights.size(); ++i) {
            weights[i] = static_cast<float>(i % 7) / 8 - 0.4F;
        }
        const auto filter = writer.constant("filter", type, {2, 3, 3, 3}, weights);
        const auto bias = writer.constant("bias", type, {2}, std::vector<float>{1, -1});
        writer.output(writer.conv2d(image, filter, bias, "convolved", {1, kImageHeight, kImageWidth, 2}));
    }
    return writer.build();
}

struct Source {
    const char* format;
    int64_t row;  // bytes of an image of kSourceWidth
};
constexpr int64_t kSourceWidth = 46;
constexpr int64_t kSourceHeight = 34;
constexpr Source kSources[] = {
    {"nv12", 46},
    {"nv21", 46},
    {"i420", 46},
    {"yuyv", 92},
    {"uyvy", 92},
    {"rgb-interleaved", 138},
    {"rgb-planar", 46},
    {"bgr-interleaved", 138},
    {"rgba-interleaved", 184},
    {"gray", 46},
};

struct Pixels {
    const char* name;
    ElementType type;
    bool normalised;
};
constexpr Pixels kPixels[] = {{"uint8", ElementType::Uint8, false},
                              {"int8", ElementType::Int8, true},
                              {"float16", ElementType::Float16, true},
                              {"float32", ElementType::Float32, true}};

class FusedJobs : public ::testing::TestWithParam<std::tuple<Source, Pixels, bool>> {};

// Bit for bit, with windows of jobs and without.
TEST_P(FusedJobs, GiveWhatTheTwoJobsGive) {
    const auto& [source, pixels, padded] = GetParam();
    ParamMap fusedParams =
        makeMap({{"image.input.format", text(source.format)}, {"image.input.size", size(kSourceWidth, kSourceHeight)}});
    if (padded) {
        fusedParams.set("image.input.row-pitch", number(source.row + 14));
    }
    if (pixels.normalised) {
        fusedParams.set("image.output.mean", text("127.5,120.25,110"));
        fusedParams.set("image.output.scale", text("64,60.5,2"));
    }
    ParamMap procParams = fusedParams;
    procParams.set("image.output.format", text("rgb-interleaved"));
    procParams.set("image.output.size", size(kImageWidth, kImageHeight));
    procParams.set("image.output.type", text(pixels.name));

    const auto file = imageNetwork(pixels.type);
    Network fused(fusedDevice(), file, 1, 0, &fusedParams);
    Network network(fusedDevice(), file);
    ProcJob conversion(procParams, true);
    EXPECT_EQ(dimsText(fused.model().inputs().at(0).dims), dimsText(conversion.inputSpec().dims));
    EXPECT_EQ(pitchesText(fused.model().inputs().at(0).pitches), pitchesText(conversion.inputSpec().pitches));
    EXPECT_EQ(fused.model().inputs().at(0).layout, conversion.inputSpec().layout);
    EXPECT_EQ(fused.model().inputs().at(0).dataType, LAROD_TENSOR_DATA_TYPE_UINT8);
    EXPECT_EQ(fused.model().inputs().at(0).name, "image");

    std::ranges::copy(randomBytes(conversion.input.size()), conversion.input.begin());
    ASSERT_EQ(fused.model().inputs().at(0).byteSize(), conversion.input.size());
    fused.set(0, conversion.input);
    std::vector<std::vector<uint8_t>> seen;
    for (const ParamMap& job : {ParamMap(), makeMap({{"image.input.crop", window(3, 5, 31, 27)}}), ParamMap()}) {
        fused.run(job);
        conversion.run(job);
        network.set(0, std::vector<uint8_t>(conversion.output.begin(), conversion.output.end() - 64));
        network.run();
        for (size_t i = 0; i < network.model().outputs().size(); ++i) {
            EXPECT_EQ(fused.get<uint8_t>(i), network.get<uint8_t>(i)) << i;
        }
        seen.push_back(fused.get<uint8_t>(0));
    }
    EXPECT_NE(seen[0], seen[1]);
    EXPECT_EQ(seen[0], seen[2]);
}

INSTANTIATE_TEST_SUITE_P(OfEachKind, FusedJobs,
                         ::testing::Combine(::testing::ValuesIn(kSources), ::testing::ValuesIn(kPixels),
                                            ::testing::Bool()),
                         [](const auto& param) {
                             std::string name = std::string(std::get<0>(param.param).format) + "_" +
                                                std::get<1>(param.param).name +
                                                (std::get<2>(param.param) ? "_padded" : "");
                             std::ranges::replace(name, '-', '_');
                             return name;
                         });

// From nv12 of 46x34.
ParamMap frame(Entries more = {}) {
    ParamMap params = makeMap({{"image.input.format", text("nv12")}, {"image.input.size", size(46, 34)}});
    for (const auto& [key, value] : more) {
        params.set(key, value);
    }
    return params;
}

std::vector<uint8_t> resultOf(const ParamMap& params) {
    Network fused(fusedDevice(), imageNetwork(ElementType::Float32), 1, 0, &params);
    fused.set(0, randomBytes(fused.model().inputs().at(0).byteSize()));
    fused.run();
    return fused.get<uint8_t>(0);
}

TEST(FusedDevice, KnowsWhatTheNetworkTakesAndAlsoLetsItBeSaid) {
    EXPECT_EQ(resultOf(frame()), resultOf(frame({{"image.output.format", text("rgb-interleaved")},
                                                 {"image.output.size", size(kImageWidth, kImageHeight)},
                                                 {"image.output.type", text("float32")},
                                                 {"image.output.row-pitch", number(kImageWidth * 12)}})));
}

TEST(FusedDevice, HasTheConversionsOtherParameters) {
    const auto plain = resultOf(frame());
    EXPECT_NE(resultOf(frame({{"image.output.filter", text("nearest")}})), plain);
    EXPECT_NE(resultOf(frame({{"image.input.colorimetry", text("bt709-full")}})), plain);
    EXPECT_NE(resultOf(frame({{"image.input.crop", window(0, 0, 20, 20)}})), plain);
    EXPECT_NE(resultOf(frame({{"image.output.mean", text("1")}})), plain);
}

// Both images are so large that the conversion is done by several threads, too.
TEST(FusedDevice, GivesTheSameWithEveryNumberOfThreads) {
    TfliteWriter writer;
    const auto image = writer.input("image", ElementType::Uint8, {1, 700, 720, 3});
    writer.output(writer.reshape(image, "same", {700 * 720 * 3}));
    const auto file = writer.build();
    const ParamMap params = makeMap({{"image.input.format", text("nv12")}, {"image.input.size", size(1280, 960)}});
    std::vector<std::vector<uint8_t>> results;
    for (const unsigned threads : {1U, 2U, 4U}) {
        Network fused(fusedDevice(), file, threads, 0, &params);
        fused.set(0, randomBytes(fused.model().inputs().at(0).byteSize()));
        fused.run();
        results.push_back(fused.get<uint8_t>(0));
    }
    EXPECT_TRUE(results[1] == results[0]);
    EXPECT_TRUE(results[2] == results[0]);
}

TEST(FusedDevice, GivesBothStagesTheThreadsOfTheJob) {
    auto networks = std::make_unique<FakeDevice>("cpu-tflite");
    auto converter = std::make_unique<FakeDevice>("cpu-proc");
    const FakeDevice& networksSeen = *networks;
    const FakeDevice& converterSeen = *converter;
    TensorSpec image = bytesSpec(12, "image");
    image.dims = {{1, 2, 2, 3}, 4};
    image.pitches = *unpaddedPitches(image.dims, image.dataType);
    networks->inputs = {image};
    const auto device = makeFused(std::move(networks), std::move(converter));
    device->warmUp();
    const ParamMap params = frame();
    EXPECT_NE(device->load({std::nullopt, &params}, 3), nullptr);
    EXPECT_EQ(networksSeen.threadsOfLoad, 3U);
    EXPECT_EQ(converterSeen.threadsOfLoad, 3U);
}

TEST(FusedDevice, IsTheNetworksDevice) {
    EXPECT_EQ(fusedDevice().name(), "cpu-tflite");
    EXPECT_EQ(fusedDevice().instance(), 0U);
    EXPECT_TRUE(fusedDevice().takesFile());
    EXPECT_TRUE(fusedDevice().usesThreads());
    EXPECT_EQ(fusedDevice().capabilities().runInput, uint32_t{LAROD_FD_TYPE_DISK});
    EXPECT_EQ(fusedDevice().capabilities().allocOutput, uint32_t{LAROD_FD_TYPE_DISK});
    EXPECT_EQ(&fusedDevice().target(), &fusedDevice());
}

// The image goes to the first input that takes one; a division by zero fails where it runs.
std::vector<uint8_t> severalInputs() {
    TfliteWriter writer;
    const auto a = writer.input("a", ElementType::Int32, {4});
    const auto gray = writer.input("gray", ElementType::Uint8, {1, 6, 4, 1});
    const auto image = writer.input("image", ElementType::Uint8, {1, 6, 4, 3});
    const auto second = writer.input("second", ElementType::Uint8, {1, 6, 4, 3});
    const auto b = writer.input("b", ElementType::Int32, {4});
    writer.output(writer.divide(a, b, "quotient"));
    writer.output(writer.reshape(gray, "same gray", {24}));
    writer.output(writer.reshape(image, "same image", {72}));
    writer.output(writer.reshape(second, "same second", {72}));
    return writer.build();
}

TEST(FusedDevice, TakesTheImageInTheFirstInputThatHoldsOneAndLeavesTheOthers) {
    const ParamMap params =
        makeMap({{"image.input.format", text("bgr-interleaved")}, {"image.input.size", size(4, 6)}});
    Network fused(fusedDevice(), severalInputs(), 1, 4, &params);
    const auto& inputs = fused.model().inputs();
    ASSERT_EQ(inputs.size(), 5U);
    EXPECT_EQ(inputs[2].name, "image");
    fused.set<int32_t>(0, {8, 9, 10, 12});
    fused.set(1, randomBytes(24));
    const auto pixels = randomBytes(72);
    fused.set(2, pixels);
    fused.set(3, pixels);
    fused.set<int32_t>(4, {2, 3, 5, 4});
    fused.run();
    EXPECT_EQ(fused.get<int32_t>(0), (std::vector<int32_t>{4, 3, 2, 3}));
    EXPECT_EQ(fused.get<uint8_t>(1), randomBytes(24));
    EXPECT_EQ(fused.get<uint8_t>(3), pixels);
    auto swapped = pixels;
    for (size_t i = 0; i < swapped.size(); i += 3) {
        std::swap(swapped[i], swapped[i + 2]);
    }
    EXPECT_EQ(fused.get<uint8_t>(2), swapped);
}

TEST(FusedDevice, NamesTheStageWhereAJobFails) {
    const ParamMap params = makeMap({{"image.input.format", text("gray")}, {"image.input.size", size(4, 6)}});
    Network fused(fusedDevice(), severalInputs(), 1, 0, &params);
    fused.set<int32_t>(4, {2, 3, 5, 4});
    // Before the job and not only in it, which waits for its turn first.
    EXPECT_EQ(
        errorOf([&] {
            fused.model().checkParams(makeMap({{"image.input.crop", window(0, 0, 5, 6)}}));
        }),
        kJobCode +
            "preprocessing: parameter 'image.input.crop': expected x, y, width, height of a window inside the 4x6 "
            "image, got (0, 0, 5, 6)");
    fused.set<int32_t>(4, {2, 0, 5, 4});
    const std::string error = errorOf([&] { fused.run(); });
    EXPECT_TRUE(error.starts_with(kJobCode + "inference: cpu-tflite failed to run the model: ")) << error;
    fused.set<int32_t>(4, {2, 3, 5, 4});
    EXPECT_EQ(errorOf([&] { fused.run(); }), "");
}

std::string loadError(std::span<const uint8_t> file, const ParamMap& params) {
    return errorOf([&] { const Network fused(fusedDevice(), file, 1, 0, &params); });
}

TEST(FusedDevice, RefusesAnOutputThatTheNetworkDoesNotTake) {
    const auto file = imageNetwork(ElementType::Int8);
    const auto error = [&](const char* key, const ParamValue& value) { return loadError(file, frame({{key, value}})); };
    const auto expected = [](const std::string& key, const std::string& wanted, const std::string& given) {
        return kLoadCode + "preprocessing: load parameter '" + key + "': expected " + wanted +
               ", since input 0 ('image') of the network is (1, 18, 21, 3) of int8, got " + given;
    };
    EXPECT_EQ(error("image.output.format", text("rgb-planar")),
              expected("image.output.format", "'rgb-interleaved'", "'rgb-planar'"));
    EXPECT_EQ(error("image.output.size", size(18, 21)), expected("image.output.size", "(21, 18)", "(18, 21)"));
    EXPECT_EQ(error("image.output.type", text("uint8")), expected("image.output.type", "'int8'", "'uint8'"));
    EXPECT_EQ(error("image.output.row-pitch", number(64)), expected("image.output.row-pitch", "63", "64"));
}

TEST(FusedDevice, RefusesWhatIsNoConversion) {
    const auto file = imageNetwork(ElementType::Uint8);
    const auto expectError = [](const std::string& error, const std::string& part) {
        EXPECT_TRUE(error.starts_with(kLoadCode + "preprocessing: ")) << error;
        EXPECT_NE(error.find(part), std::string::npos) << error;
    };
    expectError(loadError(file, makeMap({{"image.input.size", size(46, 34)}})),
                "load parameter 'image.input.format' is missing");
    expectError(loadError(file, makeMap({{"image.input.format", text("nv12")}})),
                "load parameter 'image.input.size' is missing");
    expectError(loadError(file, makeMap({{"image.output.filter", text("box")}})), "'image.input.format' is missing");
    expectError(loadError(file, frame({{"image.input.format", text("nv13")}})), "'nv13'");
    expectError(loadError(file, frame({{"image.input.size", size(46, 33)}})), "got 33");
    expectError(loadError(file, frame({{"image.input.row-pitch", number(44)}})), "got 44");
    expectError(loadError(file, frame({{"image.input.crop", window(0, 0, 46, 35)}})), "(0, 0, 46, 35)");
    expectError(loadError(file, frame({{"image.ouput.size", size(2, 2)}})), "'image.ouput.size'");
    expectError(loadError(file, frame({{"image.output.mean", text("1")}})), "'image.output.mean' needs");
    expectError(loadError(file, frame({{"image.output.type", number(1)}})), "'image.output.type'");
}

TEST(FusedDevice, RefusesNetworksWithoutAnInputForAnImage) {
    const auto errorFor = [](ElementType type, const std::vector<int32_t>& shape) {
        TfliteWriter writer;
        const auto x = writer.input("x", type, shape);
        const auto y = writer.input("y", ElementType::Float32, {2});
        int32_t count = 1;
        for (const int32_t extent : shape) {
            count *= extent;
        }
        writer.output(writer.reshape(x, "flat", {count}));
        writer.output(writer.reshape(y, "same", {1, 2}));
        return loadError(writer.build(), frame());
    };
    const auto expected = [](const std::string& given) {
        return kLoadCode +
               "preprocessing: no input of the network takes an image: expected (1, height, width, 3) of uint8, int8, "
               "float16 or float32, got " +
               given + ", (2) of float32";
    };
    EXPECT_EQ(errorFor(ElementType::Float32, {1, 4, 6, 1}), expected("(1, 4, 6, 1) of float32"));
    EXPECT_EQ(errorFor(ElementType::Float32, {2, 4, 6, 3}), expected("(2, 4, 6, 3) of float32"));
    EXPECT_EQ(errorFor(ElementType::Float32, {4, 6, 3}), expected("(4, 6, 3) of float32"));
    EXPECT_EQ(errorFor(ElementType::Float32, {1, 1, 4, 6, 3}), expected("(1, 1, 4, 6, 3) of float32"));
    EXPECT_EQ(errorFor(ElementType::Int32, {1, 4, 6, 3}), expected("(1, 4, 6, 3) of int32"));
    EXPECT_EQ(errorFor(ElementType::Float32, {1, 4, 6, 3}), "");
}

TEST(FusedDevice, SaysThatTheNetworkFailedToLoad) {
    const auto noNetwork = randomBytes(100);
    const std::string error = loadError(noNetwork, frame());
    EXPECT_TRUE(error.starts_with(kLoadCode + "inference: ")) << error;
    const std::string plain = loadError(noNetwork, makeMap({{"other", number(1)}}));
    EXPECT_EQ("inference: " + plain.substr(kLoadCode.size()), error.substr(kLoadCode.size()));
}

// A converter that this machine lacks.
class AbsentDevice final : public Device {
  public:
    AbsentDevice() : Device("cpu-proc") {}
    [[nodiscard]] Capabilities capabilities() const noexcept override { return {}; }
    [[nodiscard]] bool takesFile() const noexcept override { return false; }
    void warmUp() override { throw Error(LAROD_ERROR_LOAD_MODEL, "no such processor"); }
    [[nodiscard]] std::unique_ptr<LoadedModel> load(const ModelSource& /*source*/, unsigned /*threads*/) override {
        throw Error(LAROD_ERROR_LOAD_MODEL, "never");
    }
};

TEST(FusedDevice, LoadsNetworksWithoutImagesAsTheyAre) {
    auto networks = std::make_unique<FakeDevice>("cpu-tflite");
    std::vector<const ParamMap*> seen;
    networks->onLoad = [&seen](const ModelSource& source) { seen.push_back(source.params); };
    const auto device = makeFused(std::move(networks), std::make_unique<AbsentDevice>());
    device->warmUp();
    const ParamMap params = makeMap({{"other", number(1)}, {"images", number(1)}});
    EXPECT_NE(device->load({std::nullopt, &params}, 1), nullptr);
    EXPECT_NE(device->load({std::nullopt, nullptr}, 1), nullptr);
    EXPECT_EQ(seen, (std::vector<const ParamMap*>{&params, nullptr}));
    EXPECT_EQ(errorOf([&] {
                  const ParamMap image = frame();
                  [[maybe_unused]] const auto model = device->load({std::nullopt, &image}, 1);
              }),
              kLoadCode + "preprocessing: cpu-proc is absent: no such processor");
}

// The network's memory is what the conversion writes: no copy lies between, and none of its bytes is the client's.
TEST(FusedDevice, ConvertsIntoTheMemoryThatTheNetworkReads) {
    auto networks = std::make_unique<FakeDevice>("cpu-tflite");
    auto converter = std::make_unique<FakeDevice>("cpu-proc");
    TensorSpec image = bytesSpec(5 * 7 * 3, "image");
    image.dims = {{1, 5, 7, 3}, 4};
    image.pitches = *unpaddedPitches(image.dims, image.dataType);
    networks->inputs = {bytesSpec(8), image};
    const std::byte* written = nullptr;
    const std::byte* read = nullptr;
    ParamMap networkParams;
    ParamMap conversion;
    const std::byte* source = nullptr;
    converter->onLoad = [&conversion](const ModelSource& source_) {
        conversion = *source_.params;
        EXPECT_TRUE(source_.oddSizes);
    };
    networks->onLoad = [&networkParams](const ModelSource& source_) { networkParams = *source_.params; };
    converter->onRun = [&](const JobIo& job) {
        source = memoryOf(job.inputs[0]).data();
        written = memoryOf(job.outputs[0]).data();
        EXPECT_EQ(memoryOf(job.outputs[0]).size(), 105U);
        EXPECT_EQ(read, nullptr) << "the network ran first";
    };
    networks->onRun = [&](const JobIo& job) { read = memoryOf(job.inputs[1]).data(); };
    const auto device = makeFused(std::move(networks), std::move(converter));
    device->warmUp();
    const ParamMap params = frame({{"other", number(1)}});
    const auto model = device->load({std::nullopt, &params}, 1);
    EXPECT_EQ(networkParams.entries(), makeMap({{"other", number(1)}}).entries());
    EXPECT_EQ(conversion.entries(), frame({{"image.output.format", text("rgb-interleaved")},
                                           {"image.output.size", size(7, 5)},
                                           {"image.output.type", text("uint8")},
                                           {"image.output.row-pitch", number(21)}})
                                        .entries());
    std::vector<std::byte> memory(64);
    const std::span<std::byte> all(memory);
    const auto first = model->bind(Direction::Input, 0, all.first(8));
    const auto second = model->bind(Direction::Input, 1, all.subspan(8, 16));
    const auto output = model->bind(Direction::Output, 0, all.subspan(32, 16));
    Binding* const inputs[] = {first.get(), second.get()};
    Binding* const outputs[] = {output.get()};
    model->run({inputs, outputs, ParamMap()});
    EXPECT_EQ(source, memory.data() + 8);
    EXPECT_EQ(read, written);
    EXPECT_TRUE(read < memory.data() || read >= memory.data() + memory.size());
}

}  // namespace
}  // namespace larod::device
