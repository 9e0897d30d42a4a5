// SPDX-License-Identifier: Apache-2.0
// Planar images with padded rows, on a model whose images are interleaved.
#include "device/planar_model.h"

#include <gtest/gtest.h>

#include <cstring>

#include "base/error.h"
#include "unit/session/fake_device.h"

namespace larod::device {
namespace {

using session::test::bytesSpec;
using session::test::errorOf;
using session::test::FakeModel;
using session::test::memoryOf;

TensorSpec imageSpec(size_t batch, size_t height, size_t width, size_t channels,
                     larodTensorDataType type = LAROD_TENSOR_DATA_TYPE_UINT8) {
    TensorSpec spec;
    spec.name = "image";
    spec.dataType = type;
    spec.layout = LAROD_TENSOR_LAYOUT_NHWC;
    spec.dims = {{batch, height, width, channels}, 4};
    spec.pitches = *unpaddedPitches(spec.dims, type);
    return spec;
}

std::unique_ptr<LoadedModel> planar(TensorSpec input, size_t rowMultiple) {
    return makePlanar(std::make_unique<FakeModel>(std::vector{std::move(input)}, std::vector{bytesSpec(8)}),
                      rowMultiple);
}

TEST(PlanarModel, ShowsImagesInPlanesWithPaddedRows) {
    const TensorSpec spec = planar(imageSpec(1, 224, 300, 3), 32)->inputs().at(0);
    EXPECT_EQ(spec.name, "image");
    EXPECT_EQ(spec.dataType, LAROD_TENSOR_DATA_TYPE_UINT8);
    EXPECT_EQ(spec.layout, LAROD_TENSOR_LAYOUT_NCHW);
    EXPECT_EQ(dimsText(spec.dims), "(1, 3, 224, 300)");
    EXPECT_EQ(pitchesText(spec.pitches), "(215040, 215040, 71680, 320)");
}

TEST(PlanarModel, PadsNothingThatIsAMultiple) {
    EXPECT_EQ(pitchesText(planar(imageSpec(2, 4, 64, 3), 32)->inputs().at(0).pitches), "(1536, 768, 256, 64)");
    EXPECT_EQ(pitchesText(planar(imageSpec(1, 4, 65, 1), 32)->inputs().at(0).pitches), "(384, 384, 384, 96)");
}

TEST(PlanarModel, CountsRowsInBytes) {
    const auto model = planar(imageSpec(1, 2, 9, 3, LAROD_TENSOR_DATA_TYPE_FLOAT32), 32);
    EXPECT_EQ(pitchesText(model->inputs().at(0).pitches), "(384, 384, 128, 64)");
}

TEST(PlanarModel, LeavesOutputsAndOtherInputsAlone) {
    TensorSpec untyped = imageSpec(1, 2, 2, 3);
    untyped.dataType = LAROD_TENSOR_DATA_TYPE_UNSPECIFIED;
    auto inner = std::make_unique<FakeModel>(std::vector{bytesSpec(16), untyped, imageSpec(1, 2, 2, 3)},
                                             std::vector{imageSpec(1, 2, 2, 3)});
    std::vector<std::byte*> seen;
    inner->onRun = [&seen](const JobIo& job) {
        for (Binding* binding : job.inputs) {
            seen.push_back(memoryOf(binding).data());
        }
        seen.push_back(memoryOf(job.outputs[0]).data());
    };
    const auto model = makePlanar(std::move(inner), 32);
    EXPECT_EQ(dimsText(model->inputs().at(0).dims), "(16)");
    EXPECT_EQ(dimsText(model->inputs().at(1).dims), "(1, 2, 2, 3)");
    EXPECT_EQ(dimsText(model->inputs().at(2).dims), "(1, 3, 2, 2)");
    EXPECT_EQ(dimsText(model->outputs().at(0).dims), "(1, 2, 2, 3)");

    std::vector<std::byte> memory(1024);
    const std::span<std::byte> all(memory);
    const auto first = model->bind(Direction::Input, 0, all.first(16));
    const auto second = model->bind(Direction::Input, 1, all.subspan(64, 12));
    const auto image = model->bind(Direction::Input, 2, all.subspan(128, 192));
    const auto output = model->bind(Direction::Output, 0, all.subspan(512, 12));
    Binding* const inputs[] = {first.get(), second.get(), image.get()};
    Binding* const outputs[] = {output.get()};
    model->run({inputs, outputs, ParamMap()});
    ASSERT_EQ(seen.size(), 4U);
    EXPECT_EQ(seen[0], memory.data());
    EXPECT_EQ(seen[1], memory.data() + 64);
    EXPECT_NE(seen[2], memory.data() + 128);
    EXPECT_EQ(seen[3], memory.data() + 512);
}

// Elements that differ from each other, as planes and as pixels.
class PlanarModelElements : public ::testing::TestWithParam<larodTensorDataType> {};

TEST_P(PlanarModelElements, ArriveInterleavedAtEachRun) {
    constexpr size_t kBatch = 2;
    constexpr size_t kHeight = 3;
    constexpr size_t kWidth = 5;
    constexpr size_t kChannels = 3;
    const size_t bytes = elementSize(GetParam());
    auto inner = std::make_unique<FakeModel>(std::vector{imageSpec(kBatch, kHeight, kWidth, kChannels, GetParam())},
                                             std::vector<TensorSpec>());
    std::vector<std::byte> seen;
    inner->onRun = [&seen](const JobIo& job) {
        const auto memory = memoryOf(job.inputs[0]);
        seen.assign(memory.begin(), memory.end());
    };
    const auto model = makePlanar(std::move(inner), 16);
    const auto& pitches = model->inputs().at(0).pitches.pitches;
    std::vector<std::byte> memory(model->inputs().at(0).byteSize(), std::byte{0xee});
    const auto binding = model->bind(Direction::Input, 0, memory);
    Binding* const inputs[] = {binding.get()};
    for (const unsigned round : {0U, 1U}) {
        std::vector<std::byte> expected;
        for (size_t n = 0; n < kBatch; ++n) {
            for (size_t y = 0; y < kHeight; ++y) {
                for (size_t x = 0; x < kWidth; ++x) {
                    for (size_t c = 0; c < kChannels; ++c) {
                        for (size_t byte = 0; byte < bytes; ++byte) {
                            const auto value = static_cast<std::byte>(expected.size() * 37 % 251 + round);
                            expected.push_back(value);
                            memory[n * pitches[1] + c * pitches[2] + y * pitches[3] + x * bytes + byte] = value;
                        }
                    }
                }
            }
        }
        model->run({inputs, {}, ParamMap()});
        EXPECT_EQ(seen, expected);
    }
}

INSTANTIATE_TEST_SUITE_P(OfEachSize, PlanarModelElements,
                         ::testing::Values(LAROD_TENSOR_DATA_TYPE_UINT8, LAROD_TENSOR_DATA_TYPE_FLOAT16,
                                           LAROD_TENSOR_DATA_TYPE_FLOAT32, LAROD_TENSOR_DATA_TYPE_FLOAT64),
                         [](const auto& param) { return dataTypeName(param.param); });

TEST(PlanarModel, RefusesWhatPaddingMakesTooLarge) {
    const size_t height = SIZE_MAX / 32;
    EXPECT_EQ(planar(imageSpec(1, height, 1, 1), 32)->inputs().at(0).pitches.pitches[0], height * 32);
    EXPECT_EQ(errorOf([&] { [[maybe_unused]] const auto model = planar(imageSpec(1, height + 1, 1, 1), 32); }),
              std::to_string(LAROD_ERROR_LOAD_MODEL) + ": input 'image' of shape (1, " + std::to_string(height + 1) +
                  ", 1, 1) is too large with rows of a multiple of 32 bytes");
}

TEST(PlanarModel, ChecksParametersAsItsModelDoes) {
    class Strict final : public LoadedModel {
      public:
        std::unique_ptr<Binding> bind(Direction, size_t, std::span<std::byte>) override { return nullptr; }
        void checkParams(const ParamMap&) const override { throw Error(LAROD_ERROR_JOB, "strict"); }
        void run(const JobIo&) override {}
    };
    const auto model = makePlanar(std::make_unique<Strict>(), 32);
    EXPECT_EQ(errorOf([&] { model->checkParams(ParamMap()); }), std::to_string(LAROD_ERROR_JOB) + ": strict");
}

}  // namespace
}  // namespace larod::device
