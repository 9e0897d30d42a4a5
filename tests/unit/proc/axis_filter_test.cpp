// SPDX-License-Identifier: Apache-2.0
// The tables of the scaler.
#include "device/proc/axis_filter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace larod::device::proc {
namespace {

AxisFilter build(const AxisWindow& window, size_t outputs, Filter filter) {
    AxisFilter axis;
    axis.build(window, outputs, filter);
    return axis;
}

TEST(AxisFilter, EveryWeightSumIsOneAndEveryTapInsideTheWindow) {
    for (const Filter filter : {Filter::Bilinear, Filter::Box, Filter::Nearest}) {
        for (size_t begin = 0; begin < 9; ++begin) {
            for (size_t length = 1; length + begin <= 40; ++length) {
                for (const size_t outputs : {size_t{1}, size_t{2}, size_t{7}, size_t{20}, size_t{63}}) {
                    const AxisFilter axis = build({begin, length, 20}, outputs, filter);
                    ASSERT_LE(axis.end(), 20U);
                    ASSERT_EQ(axis.first().size(), outputs);
                    ASSERT_EQ(axis.weights().size(), outputs * axis.taps());
                    for (size_t i = 0; i < outputs; ++i) {
                        const auto weights = axis.weights().begin() + static_cast<ptrdiff_t>(i * axis.taps());
                        ASSERT_EQ(std::accumulate(weights, weights + static_cast<ptrdiff_t>(axis.taps()), uint64_t{0}),
                                  AxisFilter::kOne);
                        ASSERT_GE(axis.first()[i], axis.begin());
                        ASSERT_LE(axis.first()[i] + axis.taps(), axis.end());
                    }
                }
            }
        }
    }
}

TEST(AxisFilter, EqualSizeIsTheIdentityForEveryFilter) {
    for (const Filter filter : {Filter::Bilinear, Filter::Box, Filter::Nearest}) {
        EXPECT_TRUE(build({0, 40, 20}, 20, filter).identity());
        EXPECT_TRUE(build({6, 10, 20}, 5, filter).identity());
        EXPECT_FALSE(build({0, 40, 20}, 19, filter).identity());
        EXPECT_FALSE(build({0, 40, 20}, 40, filter).identity());
    }
    EXPECT_FALSE(build({1, 10, 20}, 6, Filter::Bilinear).identity());
}

TEST(AxisFilter, WindowOfHalvesCoversWholeSamples) {
    const AxisFilter axis = build({3, 4, 20}, 2, Filter::Box);  // 1.5 to 3.5
    EXPECT_EQ(axis.begin(), 1U);
    EXPECT_EQ(axis.end(), 4U);
}

TEST(AxisFilter, BilinearIsCentredOnPixelCentres) {
    const AxisFilter doubled = build({0, 4, 2}, 4, Filter::Bilinear);
    EXPECT_EQ(doubled.weights(), (std::vector<uint32_t>{65536, 0, 49152, 16384, 16384, 49152, 0, 65536}));
}

TEST(AxisFilter, DoublingIsTwoOutputsForEachWholeSample) {
    EXPECT_TRUE(build({0, 40, 20}, 40, Filter::Bilinear).doubling());
    EXPECT_TRUE(build({6, 10, 20}, 10, Filter::Bilinear).doubling());
    EXPECT_TRUE(build({0, 4, 2}, 4, Filter::Bilinear).doubling());
    EXPECT_FALSE(build({0, 40, 20}, 39, Filter::Bilinear).doubling());
    EXPECT_FALSE(build({0, 40, 20}, 60, Filter::Bilinear).doubling());
    EXPECT_FALSE(build({0, 40, 20}, 40, Filter::Nearest).doubling());
    EXPECT_FALSE(build({0, 40, 20}, 40, Filter::Box).doubling());
    // Half a sample of the window's first and last one.
    EXPECT_FALSE(build({7, 8, 20}, 10, Filter::Bilinear).doubling());
    EXPECT_FALSE(build({6, 2, 20}, 2, Filter::Bilinear).doubling());
}

TEST(AxisFilter, BoxWeighsByCoveredLength) {
    const AxisFilter axis = build({0, 6, 3}, 2, Filter::Box);
    EXPECT_EQ(axis.taps(), 3U);
    EXPECT_EQ(axis.weights(), (std::vector<uint32_t>{43691, 21845, 0, 0, 21845, 43691}));
}

// Exactly, also where a centre is between two samples: everything is compared in 1 / (4 * outputs) of a sample.
TEST(AxisFilter, NearestAndBilinearAreExactAtEveryPlace) {
    for (size_t begin = 0; begin < 9; ++begin) {
        for (size_t length = 1; length + begin <= 40; ++length) {
            for (size_t outputs = 1; outputs <= 63; ++outputs) {
                const AxisFilter nearest = build({begin, length, 20}, outputs, Filter::Nearest);
                const AxisFilter bilinear = build({begin, length, 20}, outputs, Filter::Bilinear);
                const size_t sample = 4 * outputs;
                for (size_t i = 0; i < outputs; ++i) {
                    const size_t centre = 2 * begin * outputs + (2 * i + 1) * length;
                    ASSERT_LT(nearest.first()[i] * sample, centre);
                    ASSERT_GE((nearest.first()[i] + 1) * sample, centre);

                    const size_t taps = bilinear.taps();
                    const size_t first = bilinear.first()[i];
                    const size_t second = taps == 2 ? bilinear.weights()[2 * i + 1] : 0;
                    const size_t position = std::clamp(centre, bilinear.begin() * sample + sample / 2,
                                                       bilinear.end() * sample - sample / 2) -
                                            sample / 2;
                    ASSERT_LE(first * sample, position);
                    const auto exact = static_cast<double>((position - first * sample) * AxisFilter::kOne);
                    ASSERT_NEAR(static_cast<double>(second), exact / static_cast<double>(sample), 0.5);
                }
            }
        }
    }
}

TEST(AxisFilter, NearestChromaOfAnOddWindowStartsAtTheFloor) {
    // Pixels 3 to 8 of 40, with a sample for two: nv12 to nv12.
    EXPECT_EQ(build({3, 6, 20}, 3, Filter::Nearest).first(), (std::vector<uint32_t>{1, 2, 3}));
    // And for each pixel its own sample: nv12 to rgb.
    EXPECT_EQ(build({3, 6, 20}, 6, Filter::Nearest).first(), (std::vector<uint32_t>{1, 2, 2, 3, 3, 4}));
}

}  // namespace
}  // namespace larod::device::proc
