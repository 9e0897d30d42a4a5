// SPDX-License-Identifier: Apache-2.0
// Sizes and pitches of api.md 1.5 and behaviour.md 3.3.
#include "base/tensor_spec.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <initializer_list>
#include <limits>

namespace larod {
namespace {

larodTensorDims dimsOf(std::initializer_list<size_t> values) {
    larodTensorDims dims{};
    std::copy(values.begin(), values.end(), dims.dims);
    dims.len = values.size();
    return dims;
}

larodTensorPitches pitchesOf(std::initializer_list<size_t> values) {
    larodTensorPitches pitches{};
    std::copy(values.begin(), values.end(), pitches.pitches);
    pitches.len = values.size();
    return pitches;
}

TEST(ElementSize, KnowsEveryTypeAndNothingElse) {
    EXPECT_EQ(elementSize(LAROD_TENSOR_DATA_TYPE_INVALID), 0U);
    EXPECT_EQ(elementSize(LAROD_TENSOR_DATA_TYPE_UNSPECIFIED), 0U);
    EXPECT_EQ(elementSize(LAROD_TENSOR_DATA_TYPE_MAX), 0U);
    EXPECT_EQ(elementSize(LAROD_TENSOR_DATA_TYPE_BOOL), 1U);
    EXPECT_EQ(elementSize(LAROD_TENSOR_DATA_TYPE_UINT8), 1U);
    EXPECT_EQ(elementSize(LAROD_TENSOR_DATA_TYPE_INT8), 1U);
    EXPECT_EQ(elementSize(LAROD_TENSOR_DATA_TYPE_UINT16), 2U);
    EXPECT_EQ(elementSize(LAROD_TENSOR_DATA_TYPE_INT16), 2U);
    EXPECT_EQ(elementSize(LAROD_TENSOR_DATA_TYPE_FLOAT16), 2U);
    EXPECT_EQ(elementSize(LAROD_TENSOR_DATA_TYPE_UINT32), 4U);
    EXPECT_EQ(elementSize(LAROD_TENSOR_DATA_TYPE_INT32), 4U);
    EXPECT_EQ(elementSize(LAROD_TENSOR_DATA_TYPE_FLOAT32), 4U);
    EXPECT_EQ(elementSize(LAROD_TENSOR_DATA_TYPE_UINT64), 8U);
    EXPECT_EQ(elementSize(LAROD_TENSOR_DATA_TYPE_INT64), 8U);
    EXPECT_EQ(elementSize(LAROD_TENSOR_DATA_TYPE_FLOAT64), 8U);
}

TEST(Names, AreThoseOfTheInterface) {
    EXPECT_EQ(dataTypeName(LAROD_TENSOR_DATA_TYPE_UNSPECIFIED), "unspecified");
    EXPECT_EQ(dataTypeName(LAROD_TENSOR_DATA_TYPE_UINT8), "uint8");
    EXPECT_EQ(dataTypeName(LAROD_TENSOR_DATA_TYPE_FLOAT32), "float32");
    EXPECT_EQ(dataTypeName(LAROD_TENSOR_DATA_TYPE_FLOAT64), "float64");
    EXPECT_EQ(dataTypeName(LAROD_TENSOR_DATA_TYPE_MAX), "unknown(14)");
    EXPECT_EQ(layoutName(LAROD_TENSOR_LAYOUT_NHWC), "NHWC");
    EXPECT_EQ(layoutName(LAROD_TENSOR_LAYOUT_NCHW), "NCHW");
    EXPECT_EQ(layoutName(LAROD_TENSOR_LAYOUT_420SP), "420SP");
    EXPECT_EQ(layoutName(LAROD_TENSOR_LAYOUT_MAX), "unknown(5)");
    EXPECT_EQ(directionName(Direction::Input), "input");
    EXPECT_EQ(directionName(Direction::Output), "output");
}

TEST(Texts, ListExtentsOrSayUnspecified) {
    EXPECT_EQ(dimsText(dimsOf({1, 224, 224, 3})), "(1, 224, 224, 3)");
    EXPECT_EQ(dimsText(dimsOf({7})), "(7)");
    EXPECT_EQ(dimsText(larodTensorDims{}), "unspecified");
    EXPECT_EQ(pitchesText(pitchesOf({272384, 272384, 1216, 4})), "(272384, 272384, 1216, 4)");
    EXPECT_EQ(pitchesText(larodTensorPitches{}), "unspecified");
}

TEST(Texts, StopAtTheEndOfAnOverlongList) {
    larodTensorDims dims = dimsOf({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
    dims.len = 1000;
    EXPECT_EQ(dimsText(dims), "(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)");
}

TEST(SameDims, ComparesLengthAndUsedValuesOnly) {
    larodTensorDims a = dimsOf({1, 2});
    const larodTensorDims b = dimsOf({1, 2});
    a.dims[5] = 99;
    EXPECT_TRUE(sameDims(a, b));
    EXPECT_FALSE(sameDims(a, dimsOf({1, 2, 3})));
    EXPECT_FALSE(sameDims(a, dimsOf({1, 3})));
    EXPECT_TRUE(sameDims(larodTensorDims{}, larodTensorDims{}));
    EXPECT_TRUE(samePitches(pitchesOf({6, 3}), pitchesOf({6, 3})));
    EXPECT_FALSE(samePitches(pitchesOf({6, 3}), pitchesOf({6})));
    EXPECT_FALSE(samePitches(pitchesOf({6, 3}), pitchesOf({6, 2})));
}

TEST(UnpaddedPitches, CountBytesFromTheRight) {
    const auto pitches = unpaddedPitches(dimsOf({1, 224, 300, 3}), LAROD_TENSOR_DATA_TYPE_UINT8);
    ASSERT_TRUE(pitches);
    EXPECT_TRUE(samePitches(*pitches, pitchesOf({201600, 201600, 900, 3}))) << pitchesText(*pitches);
    const auto floats = unpaddedPitches(dimsOf({1, 3, 250, 250}), LAROD_TENSOR_DATA_TYPE_FLOAT32);
    ASSERT_TRUE(floats);
    EXPECT_TRUE(samePitches(*floats, pitchesOf({750000, 750000, 250000, 1000}))) << pitchesText(*floats);
}

TEST(UnpaddedPitches, CountAnUnknownElementAsOneByte) {
    const auto pitches = unpaddedPitches(dimsOf({2, 3}), LAROD_TENSOR_DATA_TYPE_UNSPECIFIED);
    ASSERT_TRUE(pitches);
    EXPECT_TRUE(samePitches(*pitches, pitchesOf({6, 3})));
}

TEST(UnpaddedPitches, OfNoDimsAreNone) {
    const auto pitches = unpaddedPitches(larodTensorDims{}, LAROD_TENSOR_DATA_TYPE_UINT8);
    ASSERT_TRUE(pitches);
    EXPECT_EQ(pitches->len, 0U);
}

TEST(UnpaddedPitches, RefuseAProductThatWraps) {
    constexpr size_t kHalf = size_t{1} << (sizeof(size_t) * 4);
    EXPECT_TRUE(unpaddedPitches(dimsOf({kHalf - 1, kHalf}), LAROD_TENSOR_DATA_TYPE_UINT8));
    EXPECT_FALSE(unpaddedPitches(dimsOf({kHalf, kHalf}), LAROD_TENSOR_DATA_TYPE_UINT8));
    EXPECT_FALSE(unpaddedPitches(dimsOf({kHalf - 1, kHalf}), LAROD_TENSOR_DATA_TYPE_UINT16));
    EXPECT_FALSE(unpaddedPitches(dimsOf({std::numeric_limits<size_t>::max()}), LAROD_TENSOR_DATA_TYPE_UINT64));
}

struct Reference {
    larodTensorLayout layout;
    larodTensorDataType type;
    larodTensorDims dims;
    larodTensorPitches pitches;
};

TEST(TensorSpec, TakesItsSizeFromPitchesAsInTheReferenceValues) {
    const Reference references[] = {
        {LAROD_TENSOR_LAYOUT_NCHW, LAROD_TENSOR_DATA_TYPE_FLOAT32, dimsOf({1, 3, 250, 250}),
         pitchesOf({768000, 768000, 256000, 1024})},
        {LAROD_TENSOR_LAYOUT_NHWC, LAROD_TENSOR_DATA_TYPE_UINT8, dimsOf({1, 224, 300, 3}),
         pitchesOf({272384, 272384, 1216, 4})},
        {LAROD_TENSOR_LAYOUT_420SP, LAROD_TENSOR_DATA_TYPE_UINT8, dimsOf({3, 224, 300}),
         pitchesOf({107520, 71680, 320})},
    };
    for (const Reference& reference : references) {
        const TensorSpec spec{"tensor", reference.type, reference.layout, reference.dims, reference.pitches};
        EXPECT_EQ(spec.byteSize(), reference.pitches.pitches[0]) << layoutName(reference.layout);
    }
}

TEST(TensorSpec, ComputesItsSizeWithoutPitches) {
    TensorSpec spec;
    spec.dims = dimsOf({1, 128, 128, 3});
    spec.dataType = LAROD_TENSOR_DATA_TYPE_FLOAT32;
    EXPECT_EQ(spec.byteSize(), 196608U);
}

TEST(TensorSpec, HasNoSizeWhereItIsNotDefined) {
    TensorSpec spec;
    EXPECT_EQ(spec.byteSize(), 0U);
    spec.dims = dimsOf({1, 2});
    EXPECT_EQ(spec.byteSize(), 0U) << "the type is not known";
    spec.dataType = LAROD_TENSOR_DATA_TYPE_UINT8;
    EXPECT_EQ(spec.byteSize(), 2U);
    spec.dims = dimsOf({std::numeric_limits<size_t>::max(), 2});
    EXPECT_EQ(spec.byteSize(), 0U) << "more than memory can hold";
}

}  // namespace
}  // namespace larod
