// SPDX-License-Identifier: Apache-2.0
// The random times: fixed sequences, the right distributions.
#include "device/debug/delay.h"

#include <gtest/gtest.h>

#include <cmath>
#include <ctime>
#include <vector>

namespace larod::device::debug {
namespace {

using Kind = DelayDistribution::Kind;

std::vector<uint64_t> take(const DelayDistribution& distribution, uint64_t seed, size_t count) {
    DelaySequence sequence(distribution, seed);
    std::vector<uint64_t> times(count);
    for (uint64_t& time : times) {
        time = sequence.nextNs();
    }
    return times;
}

double mean(const std::vector<uint64_t>& times) {
    double sum = 0;
    for (const uint64_t time : times) {
        sum += static_cast<double>(time);
    }
    return sum / static_cast<double>(times.size());
}

TEST(NegativeLog, EqualsTheLogarithm) {
    for (const uint32_t u : {1U, 2U, 3U, 1000U, 65'536U, 1'234'567U, 0x7fff'ffffU, 0x8000'0000U, 0xffff'ffffU}) {
        const double exact = -std::log(u / 4294967296.0) * 65536.0;
        EXPECT_NEAR(static_cast<double>(negativeLog(u)), exact, 1.0) << u;
    }
}

TEST(DelaySequence, ConstantIsConstant) {
    EXPECT_EQ(take({Kind::Constant, 250, 0}, 1, 3), (std::vector<uint64_t>{250'000, 250'000, 250'000}));
}

TEST(DelaySequence, UniformStaysInsideAndHasItsMean) {
    const auto times = take({Kind::Uniform, 100, 300}, 7, 20'000);
    for (const uint64_t time : times) {
        ASSERT_GE(time, 100'000U);
        ASSERT_LE(time, 300'000U);
    }
    EXPECT_NEAR(mean(times), 200'000, 2'000);
}

TEST(DelaySequence, UniformWithEqualBoundsIsConstant) {
    EXPECT_EQ(take({Kind::Uniform, 5, 5}, 3, 2), (std::vector<uint64_t>{5'000, 5'000}));
}

TEST(DelaySequence, ExponentialHasItsMeanAndItsMedian) {
    const auto times = take({Kind::Exponential, 1'000, 0}, 7, 20'000);
    EXPECT_NEAR(mean(times), 1'000'000, 20'000);
    size_t below = 0;
    for (const uint64_t time : times) {
        below += static_cast<double>(time) < 1'000'000 * std::log(2.0) ? 1U : 0U;
    }
    EXPECT_NEAR(static_cast<double>(below), 10'000, 300);
}

TEST(DelaySequence, LongestExponentialDoesNotWrap) {
    DelaySequence sequence({Kind::Exponential, kMaxDelayUs, 0}, 1);
    for (int i = 0; i < 10'000; ++i) {
        ASSERT_LE(sequence.nextNs(), kMaxDelayUs * 1000 * 23);
    }
}

// The values are the same on every machine, so they are part of the interface.
TEST(DelaySequence, FirstTimesOfASeedAreFixed) {
    EXPECT_EQ(take({Kind::Uniform, 0, 1'000}, 42, 3), (std::vector<uint64_t>{198'295, 705'358, 591'599}));
    EXPECT_EQ(take({Kind::Exponential, 1'000, 0}, 42, 3), (std::vector<uint64_t>{280'822, 447'799, 284'820}));
}

TEST(DelaySequence, AnotherSeedIsAnotherSequence) {
    EXPECT_NE(take({Kind::Uniform, 0, 1'000}, 1, 3), take({Kind::Uniform, 0, 1'000}, 2, 3));
}

TEST(SleepNs, LastsAtLeastItsTime) {
    timespec start{};
    timespec end{};
    clock_gettime(CLOCK_MONOTONIC, &start);
    sleepNs(2'000'000);
    clock_gettime(CLOCK_MONOTONIC, &end);
    EXPECT_GE((end.tv_sec - start.tv_sec) * 1'000'000'000 + end.tv_nsec - start.tv_nsec, 2'000'000);
}

}  // namespace
}  // namespace larod::device::debug
