// SPDX-License-Identifier: Apache-2.0
// The tables that pick neighbours out of a row of bytes.
#include "device/proc/column_pick.h"

#include <gtest/gtest.h>

#include <vector>

namespace larod::device::proc {
namespace {

constexpr size_t kBlock = ColumnPick::kBlock;
constexpr size_t kPartBytes = ColumnPick::kPartBytes;
constexpr size_t kGroup = ColumnPick::kGroup;

struct Samples {
    size_t bytes;
    std::vector<ComponentPlace> places;
};

// Those of gray, nv12, yuyv's chroma and luma, rgb and rgba.
const Samples kSamples[] = {{1, {{0, 0}}}, {2, {{1, 0}, {2, 1}}},         {4, {{1, 1}, {2, 3}}},
                            {2, {{0, 0}}}, {3, {{0, 0}, {1, 1}, {2, 2}}}, {4, {{0, 0}, {1, 1}, {2, 2}}}};

std::vector<uint32_t> firstSamples(size_t count, double step, uint32_t begin) {
    std::vector<uint32_t> first(count);
    for (size_t i = 0; i < count; ++i) {
        first[i] = begin + static_cast<uint32_t>(static_cast<double>(i) * step);
    }
    return first;
}

struct Picked {
    size_t left;
    size_t right;
    int16_t weight;
};

// The bytes of the row that the tables name for a component of output i, looked for in all windows.
Picked picked(const ColumnPick& pick, size_t i, size_t component) {
    const size_t block = i / kBlock;
    const size_t partOutputs = kBlock / pick.parts();
    const size_t part = i % kBlock / partOutputs;
    const size_t pair = component * partOutputs + i % partOutputs;
    Picked result{0, 0, pick.weights(block)[part * kGroup * kBlock + pair]};
    size_t found = 0;
    for (size_t window = 0; window < pick.windows(); ++window) {
        const size_t entry = (part * pick.windows() + window) * kGroup;
        const uint8_t* const bytes = pick.bytes(block) + entry * kPartBytes + 2 * pair;
        EXPECT_EQ(bytes[0] < kPartBytes, bytes[1] < kPartBytes) << i;
        if (bytes[0] < kPartBytes) {
            ++found;
            result.left = pick.starts(block)[entry] + bytes[0];
            result.right = pick.starts(block)[entry] + bytes[1];
        } else {
            EXPECT_GE(bytes[0], 0x80) << i;
            EXPECT_GE(bytes[1], 0x80) << i;
        }
    }
    EXPECT_EQ(found, 1U) << i;
    return result;
}

TEST(ColumnPick, NamesBothNeighboursOfEveryOutputAndItsWeight) {
    ColumnPick pick;
    for (const Samples& samples : kSamples) {
        for (const size_t count : {1U, 7U, 8U, 9U, 31U, 32U, 33U, 300U}) {
            for (const double step : {0.5, 1.0, 1.5, 2.0, 3.2, 6.4, 16.0, 50.0}) {
                const auto first = firstSamples(count, step, 5);
                std::vector<int16_t> weights(count);
                for (size_t i = 0; i < count; ++i) {
                    weights[i] = static_cast<int16_t>(100 + i);
                }
                pick.build(first, 5, weights, samples.bytes, samples.places);
                for (size_t i = 0; i < count; ++i) {
                    for (size_t c = 0; c < samples.places.size(); ++c) {
                        const Picked found = picked(pick, i, c);
                        const size_t left = (first[i] - 5) * samples.bytes + samples.places[c].byte;
                        ASSERT_EQ(found.left, left) << count << " by " << step << ", output " << i;
                        ASSERT_EQ(found.right, left + samples.bytes) << count << " by " << step << ", output " << i;
                        ASSERT_EQ(found.weight, weights[i]);
                    }
                }
            }
        }
    }
}

// However far apart outputs are.
TEST(ColumnPick, APartHasNoMoreWindowsThanOutputs) {
    ColumnPick pick;
    const std::vector<int16_t> weights(64);
    for (const Samples& samples : kSamples) {
        pick.build(firstSamples(64, 1000, 0), 0, weights, samples.bytes, samples.places);
        EXPECT_EQ(pick.windows() * pick.parts(), kBlock);
    }
}

// Of bytes that no output uses none is loaded, and one window serves what fits into it.
TEST(ColumnPick, NeighboursThatFitShareAWindow) {
    ColumnPick pick;
    const std::vector<int16_t> weights(64);
    pick.build(firstSamples(64, 2, 0), 0, weights, 1, kSamples[0].places);
    EXPECT_EQ(pick.windows(), 1U);
    pick.build(firstSamples(64, 2.2, 0), 0, weights, 1, kSamples[0].places);
    EXPECT_EQ(pick.windows(), 2U);
    pick.build(firstSamples(64, 6.4, 0), 0, weights, 1, kSamples[0].places);
    EXPECT_EQ(pick.windows(), 3U);
}

// What the widest vectors read behind the last block.
TEST(ColumnPick, TablesAreFilledUpToWholeVectors) {
    ColumnPick pick;
    pick.build(firstSamples(33, 2, 0), 0, std::vector<int16_t>(33), 1, kSamples[0].places);
    for (size_t block = 5; block < 8; ++block) {
        EXPECT_EQ(pick.starts(block)[0], 0U);
        for (size_t byte = 0; byte < kPartBytes; ++byte) {
            EXPECT_EQ(pick.bytes(block)[byte], 0x80);
        }
    }
}

}  // namespace
}  // namespace larod::device::proc
