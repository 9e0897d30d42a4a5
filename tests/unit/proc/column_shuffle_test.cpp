// SPDX-License-Identifier: Apache-2.0
// The tables that put neighbours side by side.
#include "device/proc/column_shuffle.h"

#include <gtest/gtest.h>

#include <vector>

namespace larod::device::proc {
namespace {

std::vector<uint32_t> places(size_t count, double step, uint32_t begin) {
    std::vector<uint32_t> first(count);
    for (size_t i = 0; i < count; ++i) {
        first[i] = begin + static_cast<uint32_t>(static_cast<double>(i) * step);
    }
    return first;
}

// The sample that a table names for output i, counted from `begin`.
size_t named(const ColumnShuffle& shuffle, size_t i, bool right) {
    const uint8_t* const bytes = (right ? shuffle.right() : shuffle.left()) + 2 * i;
    EXPECT_EQ(bytes[0] % 2, 0) << i;
    EXPECT_EQ(bytes[1], bytes[0] + 1) << i;
    EXPECT_LT(bytes[1], 2 * ColumnShuffle::kBlock) << i;
    return shuffle.starts()[i / ColumnShuffle::kBlock] + bytes[0] / 2U;
}

TEST(ColumnShuffle, NamesBothNeighboursOfEveryOutput) {
    ColumnShuffle shuffle;
    for (const size_t count : {1U, 7U, 8U, 9U, 31U, 32U, 33U, 300U}) {
        for (const double step : {0.0, 0.1, 0.5, 0.85}) {
            const auto first = places(count, step, 5);
            ASSERT_TRUE(shuffle.build(first, 5)) << count << " by " << step;
            for (size_t i = 0; i < count; ++i) {
                ASSERT_EQ(named(shuffle, i, false), first[i] - 5) << i;
                ASSERT_EQ(named(shuffle, i, true), first[i] - 4) << i;
            }
        }
    }
}

TEST(ColumnShuffle, EightNeighbouringSamplesServeABlockAndNotNine) {
    ColumnShuffle shuffle;
    std::vector<uint32_t> first(8, 0);
    first[7] = 6;
    EXPECT_TRUE(shuffle.build(first, 0));
    first[7] = 7;
    EXPECT_FALSE(shuffle.build(first, 0));
    first[7] = 3;
    EXPECT_TRUE(shuffle.build(first, 0));
}

// What the widest vectors read behind the last block.
TEST(ColumnShuffle, TablesAreFilledUpToWholeVectors) {
    ColumnShuffle shuffle;
    ASSERT_TRUE(shuffle.build(places(33, 0.5, 0), 0));
    for (size_t block = 5; block < 8; ++block) {
        EXPECT_EQ(shuffle.starts()[block], 0U);
        for (size_t byte = 0; byte < 16; ++byte) {
            EXPECT_EQ(shuffle.left()[16 * block + byte], 0x80);
            EXPECT_EQ(shuffle.right()[16 * block + byte], 0x80);
        }
    }
}

}  // namespace
}  // namespace larod::device::proc
