// SPDX-License-Identifier: Apache-2.0
// Dims and pitches built from the sizes of an image.
#include <gtest/gtest.h>

#include <cerrno>
#include <cstdint>
#include <vector>

#include "larod.h"
#include "unit/client/fake_session.h"

namespace larod::client::testing {
namespace {

using Extents = std::vector<size_t>;

class BuildTensor : public ::testing::Test {
  protected:
    BuildTensor() : tensors_(larodCreateTensors(1, nullptr)), tensor_(tensors_[0]) {}
    ~BuildTensor() override { larodDestroyTensors(nullptr, &tensors_, 1, nullptr); }

    // What the tensor holds afterwards; empty where the call failed, which must be with EINVAL.
    Extents dims(larodTensorLayout layout, size_t width, size_t height, size_t channels) {
        if (!larodBuildTensorDims(tensor_, layout, width, height, channels, &error_)) {
            EXPECT_EQ(error_.code(), EINVAL);
            return {};
        }
        const larodTensorDims* built = larodGetTensorDims(tensor_, nullptr);
        return {built->dims, built->dims + built->len};
    }
    Extents pitches(larodTensorLayout layout, size_t pitch, size_t height, size_t channels) {
        if (!larodBuildTensorPitches(tensor_, layout, pitch, height, channels, &error_)) {
            EXPECT_EQ(error_.code(), EINVAL);
            return {};
        }
        const larodTensorPitches* built = larodGetTensorPitches(tensor_, nullptr);
        return {built->pitches, built->pitches + built->len};
    }

    larodTensor** tensors_;
    larodTensor* tensor_;
    ErrorHolder error_;
};

TEST_F(BuildTensor, DimsFollowTheLayout) {
    EXPECT_EQ(dims(LAROD_TENSOR_LAYOUT_NHWC, 640, 480, 3), (Extents{1, 480, 640, 3}));
    EXPECT_EQ(dims(LAROD_TENSOR_LAYOUT_NCHW, 640, 480, 3), (Extents{1, 3, 480, 640}));
    EXPECT_EQ(dims(LAROD_TENSOR_LAYOUT_420SP, 640, 480, 3), (Extents{3, 480, 640}));
    EXPECT_EQ(dims(LAROD_TENSOR_LAYOUT_NHWC, 1, 1, 1), (Extents{1, 1, 1, 1}));
    EXPECT_EQ(dims(LAROD_TENSOR_LAYOUT_NHWC, SIZE_MAX, SIZE_MAX, SIZE_MAX), (Extents{1, SIZE_MAX, SIZE_MAX, SIZE_MAX}));
}

TEST_F(BuildTensor, TheLayoutAttributeStaysAsItIs) {
    EXPECT_FALSE(dims(LAROD_TENSOR_LAYOUT_NHWC, 640, 480, 3).empty());
    EXPECT_FALSE(pitches(LAROD_TENSOR_LAYOUT_NHWC, 1920, 480, 3).empty());
    EXPECT_EQ(larodGetTensorLayout(tensor_, nullptr), LAROD_TENSOR_LAYOUT_UNSPECIFIED);
}

TEST_F(BuildTensor, DimsRefuseZeroOtherLayoutsAndOtherChannelsOfA420spImage) {
    ASSERT_EQ(dims(LAROD_TENSOR_LAYOUT_NHWC, 2, 2, 2), (Extents{1, 2, 2, 2}));
    for (const auto layout : {LAROD_TENSOR_LAYOUT_NHWC, LAROD_TENSOR_LAYOUT_NCHW, LAROD_TENSOR_LAYOUT_420SP}) {
        EXPECT_EQ(dims(layout, 0, 480, 3), Extents{});
        EXPECT_EQ(dims(layout, 640, 0, 3), Extents{});
        EXPECT_EQ(dims(layout, 640, 480, 0), Extents{});
    }
    for (const auto layout : {LAROD_TENSOR_LAYOUT_INVALID, LAROD_TENSOR_LAYOUT_UNSPECIFIED, LAROD_TENSOR_LAYOUT_MAX}) {
        EXPECT_EQ(dims(layout, 640, 480, 3), Extents{});
    }
    EXPECT_EQ(dims(LAROD_TENSOR_LAYOUT_420SP, 640, 480, 1), Extents{});
    EXPECT_EQ(dims(LAROD_TENSOR_LAYOUT_420SP, 640, 480, 4), Extents{});
    EXPECT_EQ(larodGetTensorDims(tensor_, nullptr)->dims[3], 2U) << "a failure leaves the dims as they were";
}

TEST_F(BuildTensor, PitchesFollowTheLayout) {
    EXPECT_EQ(pitches(LAROD_TENSOR_LAYOUT_NHWC, 1216, 224, 3), (Extents{224 * 1216, 224 * 1216, 1216, 3}));
    EXPECT_EQ(pitches(LAROD_TENSOR_LAYOUT_NCHW, 1024, 250, 3), (Extents{768000, 768000, 256000, 1024}));
    EXPECT_EQ(pitches(LAROD_TENSOR_LAYOUT_420SP, 320, 224, 3), (Extents{107520, 71680, 320}));
}

TEST_F(BuildTensor, ALastRowOfLumaHasARowOfChroma) {
    EXPECT_EQ(pitches(LAROD_TENSOR_LAYOUT_420SP, 10, 5, 3), (Extents{50 + 30, 50, 10}));
    EXPECT_EQ(pitches(LAROD_TENSOR_LAYOUT_420SP, 10, 1, 3), (Extents{20, 10, 10}));
    EXPECT_EQ(pitches(LAROD_TENSOR_LAYOUT_420SP, 11, 4, 3), (Extents{66, 44, 11}));
}

TEST_F(BuildTensor, PitchesOfInterleavedPixelsCountBytesOfElements) {
    EXPECT_EQ(pitches(LAROD_TENSOR_LAYOUT_NHWC, 100, 2, 3).back(), 3U);
    for (const auto& [type, pixelBytes] :
         {std::pair(LAROD_TENSOR_DATA_TYPE_UINT8, 3U), std::pair(LAROD_TENSOR_DATA_TYPE_FLOAT16, 6U),
          std::pair(LAROD_TENSOR_DATA_TYPE_FLOAT32, 12U), std::pair(LAROD_TENSOR_DATA_TYPE_INT64, 24U)}) {
        ASSERT_TRUE(larodSetTensorDataType(tensor_, type, nullptr));
        EXPECT_EQ(pitches(LAROD_TENSOR_LAYOUT_NHWC, 100, 2, 3), (Extents{200, 200, 100, pixelBytes}));
    }
    EXPECT_EQ(pitches(LAROD_TENSOR_LAYOUT_NCHW, 100, 2, 3), (Extents{600, 600, 200, 100})) << "a row is a row";
}

TEST_F(BuildTensor, PitchesRefuseZeroAndOtherLayouts) {
    ASSERT_FALSE(pitches(LAROD_TENSOR_LAYOUT_NHWC, 6, 2, 3).empty());
    for (const auto layout : {LAROD_TENSOR_LAYOUT_NHWC, LAROD_TENSOR_LAYOUT_NCHW, LAROD_TENSOR_LAYOUT_420SP}) {
        EXPECT_EQ(pitches(layout, 0, 480, 3), Extents{});
        EXPECT_EQ(pitches(layout, 640, 0, 3), Extents{});
        EXPECT_EQ(pitches(layout, 640, 480, 0), Extents{});
    }
    for (const auto layout : {LAROD_TENSOR_LAYOUT_INVALID, LAROD_TENSOR_LAYOUT_UNSPECIFIED, LAROD_TENSOR_LAYOUT_MAX}) {
        EXPECT_EQ(pitches(layout, 640, 480, 3), Extents{});
    }
    EXPECT_EQ(larodGetTensorPitches(tensor_, nullptr)->pitches[0], 12U) << "a failure leaves the pitches as they were";
}

TEST_F(BuildTensor, PitchesThatOverflowAreRefused) {
    constexpr size_t kHalf = SIZE_MAX / 2;
    EXPECT_EQ(pitches(LAROD_TENSOR_LAYOUT_NHWC, kHalf, 3, 3), Extents{});
    EXPECT_EQ(pitches(LAROD_TENSOR_LAYOUT_NHWC, kHalf, 2, 1), (Extents{SIZE_MAX - 1, SIZE_MAX - 1, kHalf, 1}));
    EXPECT_EQ(pitches(LAROD_TENSOR_LAYOUT_NCHW, kHalf, 1, 3), Extents{});
    EXPECT_EQ(pitches(LAROD_TENSOR_LAYOUT_NCHW, kHalf, 1, 2), (Extents{SIZE_MAX - 1, SIZE_MAX - 1, kHalf, kHalf}));
    EXPECT_EQ(pitches(LAROD_TENSOR_LAYOUT_420SP, kHalf, 2, 3), Extents{});
    EXPECT_EQ(pitches(LAROD_TENSOR_LAYOUT_420SP, kHalf, 1, 3), (Extents{SIZE_MAX - 1, kHalf, kHalf}));
    EXPECT_EQ(pitches(LAROD_TENSOR_LAYOUT_420SP, 1, SIZE_MAX, 3), Extents{});
    ASSERT_TRUE(larodSetTensorDataType(tensor_, LAROD_TENSOR_DATA_TYPE_FLOAT64, nullptr));
    EXPECT_EQ(pitches(LAROD_TENSOR_LAYOUT_NHWC, 8, 1, SIZE_MAX / 4), Extents{});
}

TEST_F(BuildTensor, BothNeedATensor) {
    EXPECT_FALSE(larodBuildTensorDims(nullptr, LAROD_TENSOR_LAYOUT_NHWC, 1, 1, 1, &error_));
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_FALSE(larodBuildTensorPitches(nullptr, LAROD_TENSOR_LAYOUT_NHWC, 1, 1, 1, &error_));
    EXPECT_EQ(error_.code(), EINVAL);
}

}  // namespace
}  // namespace larod::client::testing
