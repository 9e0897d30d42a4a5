// SPDX-License-Identifier: Apache-2.0
// cpu-tflite on models whose right answers are known.
#include "device/litert/litert_model.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <random>

#include "base/error.h"
#include "device/litert/litert_device.h"
#include "device/litert/warm_up_model.h"
#include "support/tflite_writer.h"
#include "unit/litert/network.h"

namespace larod::test {
namespace {

device::Device& litertDevice() {
    static const std::unique_ptr<device::Device> device = [] {
        auto made = device::makeLitertDevice();
        made->warmUp();
        return made;
    }();
    return *device;
}

std::vector<uint8_t> addModel() {
    TfliteWriter writer;
    const auto a = writer.input("a", ElementType::Float32, {1, 4});
    const auto b = writer.input("b", ElementType::Float32, {1, 4});
    writer.output(writer.add(a, b, "sum"));
    return writer.build();
}

// The error of a load that must fail.
std::string loadError(std::span<const uint8_t> file) {
    const FileInMemory memory(file);
    try {
        [[maybe_unused]] const auto model = litertDevice().load(memory.source(), 1);
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), LAROD_ERROR_LOAD_MODEL) << error.text();
        return error.text();
    }
    ADD_FAILURE() << "the model was loaded";
    return "";
}

TEST(LitertModel, AddsTwoInputs) {
    Network network(litertDevice(), addModel());
    network.set<float>(0, {1, 2, 3, 4});
    network.set<float>(1, {10, 20, 30, 40});
    network.run();
    EXPECT_EQ(network.get<float>(0), (std::vector<float>{11, 22, 33, 44}));
    network.set<float>(1, {0, 0, 0, 0});
    network.run();
    EXPECT_EQ(network.get<float>(0), (std::vector<float>{1, 2, 3, 4}));
}

TEST(LitertModel, ComputesAFullyConnectedLayer) {
    TfliteWriter writer;
    const auto x = writer.input("x", ElementType::Float32, {1, 3});
    const auto weights = writer.constant<float>("w", ElementType::Float32, {2, 3}, {1, 0, -1, 2, 2, 2});
    const auto bias = writer.constant<float>("b", ElementType::Float32, {2}, {0.5F, -1});
    writer.output(writer.fullyConnected(x, weights, bias, "y", {1, 2}));
    for (const unsigned threads : {1U, 2U}) {
        Network network(litertDevice(), writer.build(), threads);
        network.set<float>(0, {1, 2, 3});
        network.run();
        EXPECT_EQ(network.get<float>(0), (std::vector<float>{-1.5F, 11}));
    }
}

TEST(LitertModel, ComputesAConvolution) {
    TfliteWriter writer;
    const auto x = writer.input("x", ElementType::Float32, {1, 3, 3, 1});
    const auto filter = writer.constant<float>("f", ElementType::Float32, {1, 3, 3, 1}, std::vector<float>(9, 1));
    const auto bias = writer.constant<float>("b", ElementType::Float32, {1}, {0});
    writer.output(writer.conv2d(x, filter, bias, "y", {1, 3, 3, 1}));
    Network network(litertDevice(), writer.build());
    network.set<float>(0, {1, 2, 3, 4, 5, 6, 7, 8, 9});
    network.run();
    EXPECT_EQ(network.get<float>(0), (std::vector<float>{12, 21, 16, 27, 45, 33, 24, 39, 28}));
    EXPECT_EQ(network.model().inputs()[0].layout, LAROD_TENSOR_LAYOUT_NHWC);
}

TEST(LitertModel, SeveralInputsAndOutputsKeepTheirOrder) {
    TfliteWriter writer;
    const auto z = writer.input("z", ElementType::Float32, {2});
    const auto a = writer.input("a", ElementType::Int32, {3});
    const auto m = writer.input("m", ElementType::Uint8, {5});
    writer.output(writer.reshape(m, "m out", {5, 1}));
    writer.output(writer.reshape(z, "z out", {1, 2}));
    writer.output(writer.reshape(a, "a out", {3, 1}));
    Network network(litertDevice(), writer.build());
    const auto& inputs = network.model().inputs();
    ASSERT_EQ(inputs.size(), 3U);
    EXPECT_EQ(inputs[0].name, "z");
    EXPECT_EQ(inputs[1].name, "a");
    EXPECT_EQ(inputs[2].name, "m");
    network.set<float>(0, {1.5F, 2.5F});
    network.set<int32_t>(1, {7, 8, 9});
    network.set<uint8_t>(2, {1, 2, 3, 4, 5});
    network.run();
    EXPECT_EQ(network.get<uint8_t>(0), (std::vector<uint8_t>{1, 2, 3, 4, 5}));
    EXPECT_EQ(network.get<float>(1), (std::vector<float>{1.5F, 2.5F}));
    EXPECT_EQ(network.get<int32_t>(2), (std::vector<int32_t>{7, 8, 9}));
}

struct TypeCase {
    ElementType file;
    larodTensorDataType larod;
    size_t bytes;
};

class LitertTypes : public testing::TestWithParam<TypeCase> {};

TEST_P(LitertTypes, PassUnchangedAndAreMappedOneToOne) {
    const auto [file, larod, bytes] = GetParam();
    TfliteWriter writer;
    writer.output(writer.reshape(writer.input("x", file, {1, 6}), "y", {2, 3}));
    Network network(litertDevice(), writer.build());
    const TensorSpec& in = network.model().inputs()[0];
    const TensorSpec& out = network.model().outputs()[0];
    EXPECT_EQ(in.dataType, larod);
    EXPECT_EQ(out.dataType, larod);
    EXPECT_EQ(dimsText(out.dims), "(2, 3)");
    EXPECT_EQ(pitchesText(out.pitches), fmt::format("({}, {})", 6 * bytes, 3 * bytes));
    EXPECT_EQ(out.layout, LAROD_TENSOR_LAYOUT_UNSPECIFIED);
    std::vector<uint8_t> data(6 * bytes);
    for (size_t i = 0; i < data.size(); ++i) {
        data[i] = file == ElementType::Bool ? static_cast<uint8_t>(i % 2) : static_cast<uint8_t>(i * 37 % 120);
    }
    network.set<uint8_t>(0, data);
    network.run();
    EXPECT_EQ(network.get<uint8_t>(0), data);
}

INSTANTIATE_TEST_SUITE_P(EachType, LitertTypes,
                         testing::Values(TypeCase{ElementType::Float32, LAROD_TENSOR_DATA_TYPE_FLOAT32, 4},
                                         TypeCase{ElementType::Float16, LAROD_TENSOR_DATA_TYPE_FLOAT16, 2},
                                         TypeCase{ElementType::Float64, LAROD_TENSOR_DATA_TYPE_FLOAT64, 8},
                                         TypeCase{ElementType::Uint8, LAROD_TENSOR_DATA_TYPE_UINT8, 1},
                                         TypeCase{ElementType::Int8, LAROD_TENSOR_DATA_TYPE_INT8, 1},
                                         TypeCase{ElementType::Uint16, LAROD_TENSOR_DATA_TYPE_UINT16, 2},
                                         TypeCase{ElementType::Int16, LAROD_TENSOR_DATA_TYPE_INT16, 2},
                                         TypeCase{ElementType::Uint32, LAROD_TENSOR_DATA_TYPE_UINT32, 4},
                                         TypeCase{ElementType::Int32, LAROD_TENSOR_DATA_TYPE_INT32, 4},
                                         TypeCase{ElementType::Uint64, LAROD_TENSOR_DATA_TYPE_UINT64, 8},
                                         TypeCase{ElementType::Int64, LAROD_TENSOR_DATA_TYPE_INT64, 8},
                                         TypeCase{ElementType::Bool, LAROD_TENSOR_DATA_TYPE_BOOL, 1}),
                         [](const auto& testInfo) { return dataTypeName(testInfo.param.larod); });

TEST(LitertModel, AQuantisedAddSaturates) {
    TfliteWriter writer;
    const Quantization quantization{0.5F, 10};
    const auto a = writer.input("a", ElementType::Uint8, {1, 3}, quantization);
    const auto b = writer.input("b", ElementType::Uint8, {1, 3}, quantization);
    writer.output(writer.add(a, b, "sum"));
    Network network(litertDevice(), writer.build());
    network.set<uint8_t>(0, {10, 20, 250});  // 0, 5, 120
    network.set<uint8_t>(1, {10, 30, 200});  // 0, 10, 95
    network.run();
    EXPECT_EQ(network.get<uint8_t>(0), (std::vector<uint8_t>{10, 40, 255}));
}

TEST(LitertModel, AScalarIsReportedAsOneElement) {
    TfliteWriter writer;
    const auto x = writer.input("x", ElementType::Float32, {});
    const auto y = writer.input("y", ElementType::Float32, {});
    writer.output(writer.add(x, y, "sum"));
    Network network(litertDevice(), writer.build());
    EXPECT_EQ(dimsText(network.model().inputs()[0].dims), "(1)");
    EXPECT_EQ(network.model().outputs()[0].byteSize(), 4U);
    network.set<float>(0, {2});
    network.set<float>(1, {3});
    network.run();
    EXPECT_EQ(network.get<float>(0), std::vector<float>{5});
}

TEST(LitertModel, ShapesAreThoseAfterAllocation) {
    TfliteWriter writer;
    writer.output(writer.reshape(writer.input("x", ElementType::Float32, {1, 40}), "boxes", {1, 10, 4}, {}));
    Network network(litertDevice(), writer.build());
    EXPECT_EQ(dimsText(network.model().outputs()[0].dims), "(1, 10, 4)");
    EXPECT_EQ(pitchesText(network.model().outputs()[0].pitches), "(160, 160, 16)");
}

TEST(LitertModel, EqualNamesBecomeDistinct) {
    TfliteWriter writer;
    const auto x = writer.input("same", ElementType::Float32, {2});
    const auto y = writer.input("same", ElementType::Float32, {2});
    writer.output(writer.add(x, y, "out"));
    Network network(litertDevice(), writer.build());
    EXPECT_EQ(network.model().inputs()[0].name, "same");
    EXPECT_EQ(network.model().inputs()[1].name, "same_1");
}

TEST(LitertModel, OutputsWithEqualNamesBecomeDistinctAndAreRight) {
    TfliteWriter writer;
    const auto x = writer.input("same", ElementType::Float32, {1, 4});
    writer.output(writer.add(x, x, "same"));
    writer.output(writer.reshape(x, "same", {2, 2}));
    Network network(litertDevice(), writer.build());
    EXPECT_EQ(network.model().outputs()[0].name, "same");
    EXPECT_EQ(network.model().outputs()[1].name, "same_1");
    EXPECT_EQ(dimsText(network.model().outputs()[1].dims), "(2, 2)");
    network.set<float>(0, {1, 2, 3, 4});
    network.run();
    EXPECT_EQ(network.get<float>(0), (std::vector<float>{2, 4, 6, 8}));
    EXPECT_EQ(network.get<float>(1), (std::vector<float>{1, 2, 3, 4}));
}

TEST(LitertModel, EqualNamesDontHideAShapeThatTheFileLeavesOpen) {
    TfliteWriter writer;
    const auto x = writer.input("x", ElementType::Float32, {1, 4});
    writer.output(writer.add(x, x, "same"));
    writer.output(writer.reshape(x, "same", {2, 2}, {}));
    EXPECT_NE(loadError(writer.build()), "");
}

TEST(LitertModel, AModelThatFailsOnZerosButNotOnOnesIsLoaded) {
    TfliteWriter writer;
    const auto a = writer.input("a", ElementType::Int32, {4});
    const auto b = writer.input("b", ElementType::Int32, {4});
    writer.output(writer.divide(a, b, "quotient"));
    Network network(litertDevice(), writer.build());
    network.set<int32_t>(0, {8, 9, 10, 12});
    network.set<int32_t>(1, {2, 3, 5, 4});
    network.run();
    EXPECT_EQ(network.get<int32_t>(0), (std::vector<int32_t>{4, 3, 2, 3}));
}

TEST(LitertModel, AJobThatTheEngineRefusesFailsWithItsTextAndTheNextOneRuns) {
    TfliteWriter writer;
    const auto a = writer.input("a", ElementType::Int32, {4});
    const auto b = writer.input("b", ElementType::Int32, {4});
    writer.output(writer.divide(a, b, "quotient"));
    Network network(litertDevice(), writer.build());
    network.set<int32_t>(0, {8, 9, 10, 12});
    network.set<int32_t>(1, {2, 0, 5, 4});
    try {
        network.run();
        ADD_FAILURE() << "a division by zero";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), LAROD_ERROR_JOB);
        EXPECT_NE(error.text().find("DIV"), std::string::npos) << error.text();
    }
    network.set<int32_t>(1, {2, 3, 5, 4});
    network.run();
    EXPECT_EQ(network.get<int32_t>(0), (std::vector<int32_t>{4, 3, 2, 3}));
}

TEST(LitertModel, TheEnginesTextOfAFileThatItCantReadReachesTheCaller) {
    TfliteWriter writer;
    constexpr TfliteWriter::Tensor kNoSuchTensor = 77;
    const auto x = writer.input("x", ElementType::Float32, {1, 4});
    writer.output(writer.add(x, kNoSuchTensor, "y"));
    const std::string text = loadError(writer.build());
    EXPECT_NE(text.find("77"), std::string::npos) << text;
}

TEST(LitertModel, ResultsAreTheSameAtAnyAlignment) {
    TfliteWriter writer;
    std::mt19937 generator(1);
    std::vector<float> values(8 * 5 * 5 * 3);
    std::generate(values.begin(), values.end(), [&] { return static_cast<float>(generator() % 1000) / 500 - 1; });
    const auto x = writer.input("x", ElementType::Float32, {1, 17, 19, 3});
    const auto filter = writer.constant<float>("f", ElementType::Float32, {8, 5, 5, 3}, values);
    const auto bias = writer.constant<float>("b", ElementType::Float32, {8}, std::vector<float>(8, 0.25F));
    writer.output(writer.conv2d(x, filter, bias, "y", {1, 17, 19, 8}));
    const auto file = writer.build();
    std::vector<float> image(17 * 19 * 3);
    std::generate(image.begin(), image.end(), [&] { return static_cast<float>(generator() % 256); });
    std::vector<float> expected;
    for (const size_t misalignment : {0U, 64U, 1U, 4U, 16U, 63U}) {
        Network network(litertDevice(), file, 1, misalignment);
        for (int round = 0; round < 2; ++round) {
            network.set<float>(0, image);
            network.run();
            const auto result = network.get<float>(0);
            expected = expected.empty() ? result : expected;
            EXPECT_EQ(result, expected) << "at " << misalignment;
        }
    }
}

TEST(LitertModel, FilesThatAreNoModelsAreRefused) {
    EXPECT_NE(loadError({}), "");
    std::mt19937 generator(2);
    std::vector<uint8_t> random(2000);
    std::generate(random.begin(), random.end(), [&] { return static_cast<uint8_t>(generator()); });
    EXPECT_NE(loadError(random).find("2000 bytes"), std::string::npos);
    const auto good = addModel();
    for (size_t length = 0; length < good.size(); length += 4) {
        EXPECT_NE(loadError(std::span(good).first(length)), "") << length;
    }
}

TEST(LitertModel, AnUnknownOperationIsNamed) {
    TfliteWriter writer;
    writer.output(writer.custom(writer.input("x", ElementType::Float32, {4}), "NoSuchOperation", "y"));
    const std::string text = loadError(writer.build());
    EXPECT_NE(text.find("NoSuchOperation"), std::string::npos) << text;
}

TEST(LitertModel, TheEnginesTextOfAFailedCompilationReachesTheCaller) {
    TfliteWriter writer;
    writer.output(writer.unknownBuiltin(writer.input("x", ElementType::Float32, {4}), "y"));
    const std::string text = loadError(writer.build());
    EXPECT_NE(text.find("120000"), std::string::npos) << text;
}

TEST(LitertModel, WrongShapesAreRefusedAtLoad) {
    TfliteWriter writer;
    const auto x = writer.input("x", ElementType::Float32, {1, 3});
    const auto weights = writer.constant<float>("w", ElementType::Float32, {2, 5}, std::vector<float>(10));
    const auto bias = writer.constant<float>("b", ElementType::Float32, {2}, {0, 0});
    writer.output(writer.fullyConnected(x, weights, bias, "y", {1, 2}));
    const std::string text = loadError(writer.build());
    EXPECT_GT(text.size(), std::string("cpu-tflite can't ").size()) << text;
}

TEST(LitertModel, OutputsWhoseShapeDependsOnTheDataAreRefused) {
    TfliteWriter writer;
    writer.output(writer.where(writer.input("x", ElementType::Bool, {4}), "places", {4, 1}));
    const std::string text = loadError(writer.build());
    EXPECT_NE(text.find("output tensor"), std::string::npos) << text;
}

TEST(LitertModel, AModelThatNeverEndsIsRefusedAtItsDeadline) {
    TfliteWriter writer;
    writer.output(writer.endlessLoop(writer.input("x", ElementType::Float32, {4}), "y"));
    const FileInMemory file(writer.build());
    const device::litert::Engine engine;
    constexpr uint64_t kLimitNs = 20'000'000;
    try {
        const device::litert::LitertModel model(engine, *file.source().file, 1, kLimitNs);
        ADD_FAILURE() << "the model was loaded";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), LAROD_ERROR_LOAD_MODEL);
        EXPECT_NE(error.text().find("cancel"), std::string::npos) << error.text();
    }
}

TEST(LitertModel, StringsAreRefused) {
    TfliteWriter writer;
    writer.output(writer.reshape(writer.input("x", ElementType::String, {4}), "y", {2, 2}));
    EXPECT_NE(loadError(writer.build()), "");
}

TEST(LitertModel, AnInputThatIsAlsoAnOutputIsRefused) {
    TfliteWriter writer;
    const auto x = writer.input("x", ElementType::Float32, {4});
    writer.output(x);
    const auto y = writer.input("y", ElementType::Float32, {4});
    writer.output(writer.add(x, y, "sum"));
    const std::string text = loadError(writer.build());
    EXPECT_NE(text.find("same tensor"), std::string::npos) << text;
}

TEST(LitertModel, UnknownLoadParametersAreIgnored) {
    const FileInMemory file(addModel());
    ParamMap params;
    params.set("disable-winograd", int64_t{1});
    device::ModelSource source = file.source();
    source.params = &params;
    EXPECT_NE(litertDevice().load(source, 1), nullptr);
}

TEST(LitertModel, WorksInAForkAfterTheWarmUpWithSeveralThreads) {
    device::Device& device = litertDevice();
    const pid_t child = ::fork();
    if (child == 0) {
        bool right = true;
        for (const unsigned threads : {1U, 2U}) {
            Network network(device, addModel(), threads);
            network.set<float>(0, {1, 2, 3, 4});
            network.set<float>(1, {1, 1, 1, 1});
            network.run();
            right = right && network.get<float>(0) == std::vector<float>{2, 3, 4, 5};
        }
        ::_exit(right ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
}

TEST(LitertDevice, TheWarmUpModelIsWhatTheWriterMakes) {
    const auto expected = addModel();
    EXPECT_TRUE(std::equal(expected.begin(), expected.end(), std::begin(device::litert::kWarmUpModel),
                           std::end(device::litert::kWarmUpModel)));
}

TEST(LitertDevice, WithoutTheLibraryTheErrorSaysWhatToInstall) {
    ::setenv("LAROD_LITERT_LIBRARY", "/nowhere/libLiteRt.so", 1);
    try {
        [[maybe_unused]] const auto device = device::makeLitertDevice();
        ADD_FAILURE() << "a device without a library";
    } catch (const Error& error) {
        EXPECT_NE(error.text().find("ai-edge-litert"), std::string::npos) << error.text();
        EXPECT_NE(error.text().find("/nowhere/libLiteRt.so"), std::string::npos) << error.text();
        EXPECT_EQ(error.text().find('\n'), std::string::npos) << "the log writes one line: " << error.text();
    }
    ::unsetenv("LAROD_LITERT_LIBRARY");
}

}  // namespace
}  // namespace larod::test
