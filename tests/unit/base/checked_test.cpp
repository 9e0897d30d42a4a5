// SPDX-License-Identifier: Apache-2.0
// Arithmetic at the edges of its types.
#include "base/checked.h"

#include <gtest/gtest.h>
#include <sys/types.h>

#include <cstdint>
#include <limits>

namespace larod {
namespace {

constexpr auto kMax = std::numeric_limits<uint64_t>::max();

TEST(Checked, AddsUpToTheMaximumAndNoFurther) {
    EXPECT_EQ(checkedAdd<uint64_t>(kMax - 1, 1), kMax);
    EXPECT_EQ(checkedAdd<uint64_t>(kMax, 0), kMax);
    EXPECT_FALSE(checkedAdd<uint64_t>(kMax, 1));
    EXPECT_FALSE(checkedAdd<uint32_t>(0xffff'ffffU, 1));
    EXPECT_EQ(checkedAdd<uint8_t>(254, 1), 255);
    EXPECT_FALSE(checkedAdd<uint8_t>(255, 1)) << "narrow types don't wrap through int";
}

TEST(Checked, RefusesSignedOverflowOnBothSides) {
    constexpr auto kHigh = std::numeric_limits<int64_t>::max();
    constexpr auto kLow = std::numeric_limits<int64_t>::min();
    EXPECT_FALSE(checkedAdd<int64_t>(kHigh, 1));
    EXPECT_FALSE(checkedAdd<int64_t>(kLow, -1));
    EXPECT_EQ(checkedAdd<int64_t>(kHigh, kLow), -1);
    EXPECT_FALSE(checkedMul<int64_t>(kLow, -1));
}

TEST(Checked, MultipliesUpToTheMaximumAndNoFurther) {
    EXPECT_EQ(checkedMul<uint64_t>(0xffff'ffffU, 0x1'0000'0001U), kMax);
    EXPECT_FALSE(checkedMul<uint64_t>(0x1'0000'0000U, 0x1'0000'0000U));
    EXPECT_EQ(checkedMul<uint64_t>(kMax, 0), 0U);
    EXPECT_EQ(checkedMul<uint64_t>(kMax, 1), kMax);
    EXPECT_FALSE(checkedMul<uint64_t>(kMax, 2));
}

TEST(Checked, RoundsUpToAMultiple) {
    EXPECT_EQ(checkedRoundUp<uint64_t>(0, 4096), 0U);
    EXPECT_EQ(checkedRoundUp<uint64_t>(1, 4096), 4096U);
    EXPECT_EQ(checkedRoundUp<uint64_t>(4096, 4096), 4096U);
    EXPECT_EQ(checkedRoundUp<uint64_t>(4097, 4096), 8192U);
    EXPECT_EQ(checkedRoundUp<uint64_t>(10, 3), 12U) << "not only powers of two";
    EXPECT_EQ(checkedRoundUp<uint64_t>(kMax - 4095, 4096), kMax - 4095);
    EXPECT_FALSE(checkedRoundUp<uint64_t>(kMax - 4094, 4096));
}

TEST(Checked, CastsOnlyWhatFits) {
    EXPECT_EQ(checkedCast<uint8_t>(255), 255);
    EXPECT_FALSE(checkedCast<uint8_t>(256));
    EXPECT_FALSE(checkedCast<uint64_t>(-1));
    EXPECT_FALSE(checkedCast<off_t>(kMax));
    EXPECT_EQ(checkedCast<off_t>(uint64_t{1} << 62), off_t{1} << 62);
}

}  // namespace
}  // namespace larod
