// SPDX-License-Identifier: Apache-2.0
#include "larod-client/tensor_elements.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <optional>
#include <vector>

#include "larod-client/classification.h"
#include "larod-client/comparison.h"
#include "larod-client/handles.h"
#include "larod-client/tool_error.h"

namespace larod::tools {
namespace {

class OneTensor {
  public:
    OneTensor(larodTensorDataType type, larodTensorLayout layout, const std::vector<size_t>& dims,
              const std::vector<size_t>& pitches)
        : tensors_(nullptr, larodCreateTensors(1, nullptr), 1) {
        larodTensorDims shape = {};
        larodTensorPitches steps = {};
        shape.len = dims.size();
        steps.len = pitches.size();
        std::copy(dims.begin(), dims.end(), shape.dims);
        std::copy(pitches.begin(), pitches.end(), steps.pitches);
        EXPECT_TRUE(larodSetTensorDataType(tensors_[0], type, nullptr));
        EXPECT_TRUE(larodSetTensorLayout(tensors_[0], layout, nullptr));
        EXPECT_TRUE(larodSetTensorDims(tensors_[0], &shape, nullptr));
        EXPECT_TRUE(larodSetTensorPitches(tensors_[0], &steps, nullptr));
    }
    [[nodiscard]] const larodTensor* get() const { return tensors_[0]; }

  private:
    TensorArray tensors_;
};

std::vector<std::byte> counting(size_t count) {
    std::vector<std::byte> bytes;
    for (size_t index = 0; index < count; ++index) {
        bytes.push_back(static_cast<std::byte>(index));
    }
    return bytes;
}

template <typename T>
TensorElements elements(larodTensorDataType type, const std::vector<T>& values) {
    TensorElements result;
    result.type = type;
    result.bytes.resize(values.size() * sizeof(T));
    std::memcpy(result.bytes.data(), values.data(), result.bytes.size());
    return result;
}

TensorElements floats(const std::vector<float>& values) {
    return elements(LAROD_TENSOR_DATA_TYPE_FLOAT32, values);
}

std::vector<int> numbers(const TensorElements& elements) {
    std::vector<int> result;
    for (size_t index = 0; index < elements.count(); ++index) {
        result.push_back(static_cast<int>(elements.value(index)));
    }
    return result;
}

TEST(TensorElements, LeaveThePaddingOut) {
    // Two rows of two pixels, four bytes of padding behind each row, and rows of padding behind the image.
    const OneTensor tensor(LAROD_TENSOR_DATA_TYPE_UINT8, LAROD_TENSOR_LAYOUT_NHWC, {1, 2, 2, 3}, {30, 30, 10, 3});
    const TensorElements found = elementsOf(tensor.get(), counting(30));
    EXPECT_EQ(numbers(found), (std::vector<int>{0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15}));
    EXPECT_EQ(found.placeText(7), "7 at [0, 1, 0, 1]");
}

TEST(TensorElements, TakeTheRowsOfSemiPlanarImages) {
    const OneTensor tensor(LAROD_TENSOR_DATA_TYPE_UINT8, LAROD_TENSOR_LAYOUT_420SP, {3, 2, 2}, {12, 8, 4});
    EXPECT_EQ(numbers(elementsOf(tensor.get(), counting(12))), (std::vector<int>{0, 1, 4, 5, 8, 9}));
}

TEST(TensorElements, AreAllBytesWhereTheShapeIsNotKnown) {
    const OneTensor tensor(LAROD_TENSOR_DATA_TYPE_UINT16, LAROD_TENSOR_LAYOUT_UNSPECIFIED, {}, {});
    const TensorElements found = elementsOf(tensor.get(), counting(5));
    EXPECT_EQ(numbers(found), (std::vector<int>{0x0100, 0x0302})) << "whole elements";
    EXPECT_EQ(found.placeText(1), "1");
}

TEST(TensorElements, AreNotReadBeyondTheData) {
    const OneTensor tensor(LAROD_TENSOR_DATA_TYPE_UINT8, LAROD_TENSOR_LAYOUT_NHWC, {1, 2, 2, 3}, {30, 30, 10, 3});
    EXPECT_EQ(elementsOf(tensor.get(), counting(29)).count(), 29U);
    const OneTensor overlapping(LAROD_TENSOR_DATA_TYPE_UINT8, LAROD_TENSOR_LAYOUT_UNSPECIFIED, {5, 3}, {10, 3});
    EXPECT_EQ(elementsOf(overlapping.get(), counting(10)).count(), 10U) << "five rows of three are no ten bytes";
}

TEST(TensorElements, KnowAllTypes) {
    EXPECT_EQ(elements<int8_t>(LAROD_TENSOR_DATA_TYPE_INT8, {-5}).value(0), -5);
    EXPECT_EQ(elements<int16_t>(LAROD_TENSOR_DATA_TYPE_INT16, {1, -300}).value(1), -300);
    EXPECT_EQ(elements<uint32_t>(LAROD_TENSOR_DATA_TYPE_UINT32, {4000000000U}).value(0), 4e9);
    EXPECT_EQ(elements<int64_t>(LAROD_TENSOR_DATA_TYPE_INT64, {-1}).value(0), -1);
    EXPECT_EQ(elements<double>(LAROD_TENSOR_DATA_TYPE_FLOAT64, {0.1}).value(0), 0.1);
    const TensorElements halves =
        elements<uint16_t>(LAROD_TENSOR_DATA_TYPE_FLOAT16, {0x3c00, 0xc000, 0x3555, 0x0001, 0x7bff, 0xfc00, 0x7e00});
    EXPECT_EQ(halves.value(0), 1);
    EXPECT_EQ(halves.value(1), -2);
    EXPECT_NEAR(halves.value(2), 1.0 / 3, 1e-4);
    EXPECT_EQ(halves.value(3), std::ldexp(1, -24));
    EXPECT_EQ(halves.value(4), 65504);
    EXPECT_TRUE(std::isinf(halves.value(5)) && halves.value(5) < 0);
    EXPECT_TRUE(std::isnan(halves.value(6)));
}

TEST(Comparison, TellsShareLargestMeanAndFirst) {
    const Comparison result = compareElements(floats({1, 2, 3, 4}), floats({1, 2.5F, 3, 2}));
    EXPECT_EQ(result.count, 4U);
    EXPECT_EQ(result.equal, 2U);
    EXPECT_EQ(result.firstDifferent, size_t{1});
    EXPECT_DOUBLE_EQ(result.largestDifference, 2);
    EXPECT_EQ(result.largestPlace, 3U);
    EXPECT_DOUBLE_EQ(result.meanDifference, 2.5 / 4);
    EXPECT_FALSE(compareElements(floats({1}), floats({1})).firstDifferent.has_value());
}

TEST(Comparison, TakesNanForEqualToItselfAndFarFromAllElse) {
    const float nan = std::nanf("");
    EXPECT_EQ(compareElements(floats({nan, 1}), floats({nan, 1})).equal, 2U);
    EXPECT_TRUE(std::isinf(compareElements(floats({nan}), floats({1})).largestDifference));
}

TEST(Comparison, SeesTheLastBitOfLongIntegers) {
    const auto large = int64_t{1} << 62;
    const Comparison result = compareElements(elements<int64_t>(LAROD_TENSOR_DATA_TYPE_INT64, {large, INT64_MIN}),
                                              elements<int64_t>(LAROD_TENSOR_DATA_TYPE_INT64, {large + 1, INT64_MAX}));
    EXPECT_EQ(result.equal, 0U);
    EXPECT_EQ(result.firstDifferent, size_t{0});
    EXPECT_DOUBLE_EQ(result.largestDifference, std::ldexp(1, 64));
}

TEST(Scores, AreProbabilitiesWhereTheyAddUpToOne) {
    const Scores scores = scoresOf(floats({0.25F, 0.75F}), std::nullopt);
    EXPECT_EQ(scores.meaning, "probability");
    EXPECT_DOUBLE_EQ(scores.values[1], 0.75);
}

TEST(Scores, AreMadeProbabilitiesOfFloatsThatDoNot) {
    const Scores scores = scoresOf(floats({1000, 1000 + std::log(3.0F)}), std::nullopt);
    EXPECT_EQ(scores.meaning, "softmax of the output");
    EXPECT_NEAR(scores.values[1], 0.75, 1e-4);
}

TEST(Scores, OfQuantisedOutputsAreProbabilitiesOnlyWhereThatFits) {
    const Scores usual = scoresOf(elements<uint8_t>(LAROD_TENSOR_DATA_TYPE_UINT8, {64, 192}), std::nullopt);
    EXPECT_EQ(usual.meaning, "probability, taking the quantisation for 1/256");
    EXPECT_DOUBLE_EQ(usual.values[1], 0.75);
    const Scores shifted = scoresOf(elements<int8_t>(LAROD_TENSOR_DATA_TYPE_INT8, {-64, 64}), std::nullopt);
    EXPECT_DOUBLE_EQ(shifted.values[1], 0.75);
    const Scores unknown = scoresOf(elements<uint8_t>(LAROD_TENSOR_DATA_TYPE_UINT8, {200, 210}), std::nullopt);
    EXPECT_EQ(unknown.meaning, "quantised value, whose scale is not known");
    EXPECT_EQ(unknown.values[1], 210);
}

TEST(Scores, AreDequantisedWhereTheFileTellsHow) {
    const Scores probabilities =
        scoresOf(elements<uint8_t>(LAROD_TENSOR_DATA_TYPE_UINT8, {10, 35, 85}), Quantization{{0.01F}, {10}});
    EXPECT_EQ(probabilities.meaning, "probability");
    EXPECT_NEAR(probabilities.values[2], 0.75, 1e-6);
    const Scores logits =
        scoresOf(elements<uint8_t>(LAROD_TENSOR_DATA_TYPE_UINT8, {0, 50, 100}), Quantization{{0.02F}, {50}});
    EXPECT_EQ(logits.meaning, "softmax of the output");
    EXPECT_NEAR(logits.values[2] / logits.values[1], std::exp(1), 1e-3);
}

TEST(Scores, AreProbabilitiesAlsoWhereMostAreRoundedToZero) {
    std::vector<uint8_t> unsure(1000);
    unsure[7] = 64;
    const auto output = elements<uint8_t>(LAROD_TENSOR_DATA_TYPE_UINT8, unsure);
    const Scores known = scoresOf(output, Quantization{{1.0F / 256}, {0}});
    EXPECT_EQ(known.meaning, "probability");
    EXPECT_DOUBLE_EQ(known.values[7], 0.25);
    EXPECT_EQ(scoresOf(output, std::nullopt).meaning, "probability, taking the quantisation for 1/256");
}

TEST(Greatest, AreInOrderAndTheFirstOfEqualOnesFirst) {
    const std::vector<double> values = {1, 5, std::nan(""), 5, 9};
    EXPECT_EQ(greatest(values, 3), (std::vector<size_t>{4, 1, 3}));
    EXPECT_EQ(greatest(values, 9), (std::vector<size_t>{4, 1, 3, 0, 2}));
}

TEST(Labels, AreNumbersWhereThereAreNoNames) {
    const Labels none;
    EXPECT_EQ(none.nameOf(3), "class 3");
    EXPECT_EQ(none.classOf("3"), 3U);
    EXPECT_THROW(static_cast<void>(none.classOf("cat")), ToolError);
    EXPECT_NO_THROW(none.checkCount(7));
}

}  // namespace
}  // namespace larod::tools
