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

// The sample that the tables name for output i, counted from `begin`; both windows are looked through.
size_t named(const ColumnShuffle& shuffle, size_t i, bool right) {
    size_t found = 0;
    size_t sample = 0;
    for (size_t window = 0; window < shuffle.windows(); ++window) {
        const uint8_t* const bytes = (right ? shuffle.right(window) : shuffle.left(window)) + 2 * i;
        if (bytes[0] < 0x80) {
            ++found;
            EXPECT_EQ(bytes[0] % 2, 0) << i;
            EXPECT_EQ(bytes[1], bytes[0] + 1) << i;
            sample = shuffle.starts()[i / ColumnShuffle::kBlock] + window * ColumnShuffle::kBlock + bytes[0] / 2U;
        } else {
            EXPECT_GE(bytes[1], 0x80) << i;
        }
    }
    EXPECT_EQ(found, 1U) << i;
    return sample;
}

TEST(ColumnShuffle, NamesBothNeighboursOfEveryOutput) {
    ColumnShuffle shuffle;
    for (const size_t count : {1U, 7U, 8U, 9U, 31U, 32U, 33U, 300U}) {
        for (const double step : {0.0, 0.1, 0.5, 0.99, 1.0, 1.5, 1.99}) {
            const auto first = places(count, step, 5);
            shuffle.build(first, 5);
            ASSERT_GT(shuffle.windows(), 0U) << count << " by " << step;
            for (size_t i = 0; i < count; ++i) {
                ASSERT_EQ(named(shuffle, i, false), first[i] - 5) << i;
                ASSERT_EQ(named(shuffle, i, true), first[i] - 4) << i;
            }
        }
    }
}

TEST(ColumnShuffle, OneWindowServesEightSamplesAndTwoSixteen) {
    ColumnShuffle shuffle;
    const auto windowsOf = [&shuffle](uint32_t lastOfBlock) {
        std::vector<uint32_t> first(8, 0);
        first[7] = lastOfBlock;
        shuffle.build(first, 0);
        return shuffle.windows();
    };
    EXPECT_EQ(windowsOf(6), 1U);
    EXPECT_EQ(windowsOf(7), 2U);
    EXPECT_EQ(windowsOf(14), 2U);
    EXPECT_EQ(windowsOf(15), 0U);
    EXPECT_EQ(windowsOf(3), 1U);
}

// What the widest vectors read behind the last block.
TEST(ColumnShuffle, TablesAreFilledUpToWholeVectors) {
    ColumnShuffle shuffle;
    shuffle.build(places(33, 0.5, 0), 0);
    for (size_t block = 5; block < 8; ++block) {
        EXPECT_EQ(shuffle.starts()[block], 0U);
        for (size_t byte = 0; byte < 16; ++byte) {
            EXPECT_EQ(shuffle.left(0)[16 * block + byte], 0x80);
            EXPECT_EQ(shuffle.right(0)[16 * block + byte], 0x80);
        }
    }
}

}  // namespace
}  // namespace larod::device::proc
