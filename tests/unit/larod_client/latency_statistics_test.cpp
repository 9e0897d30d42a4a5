// SPDX-License-Identifier: Apache-2.0
#include "larod-client/latency_statistics.h"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

namespace larod::tools {
namespace {

// 1, 2, ... count
std::vector<double> upTo(size_t count) {
    std::vector<double> times(count);
    std::iota(times.begin(), times.end(), 1.0);
    return times;
}

uint64_t countOf(const std::vector<HistogramBin>& bins) {
    uint64_t count = 0;
    for (const HistogramBin& bin : bins) {
        count += bin.count;
    }
    return count;
}

TEST(LatencyStatistics, OfOneTimeAreAllThatTime) {
    const std::vector<double> one = {2.5};
    const LatencyStatistics latency = latencyStatistics(one);
    for (const double value :
         {latency.min, latency.median, latency.mean, latency.p90, latency.p99, latency.p999, latency.max}) {
        EXPECT_EQ(value, 2.5);
    }
}

TEST(LatencyStatistics, TakeTheSmallestTimeThatEnoughDoNotExceed) {
    const LatencyStatistics thousand = latencyStatistics(upTo(1000));
    EXPECT_EQ(thousand.min, 1);
    EXPECT_EQ(thousand.median, 500);
    EXPECT_EQ(thousand.mean, 500.5);
    EXPECT_EQ(thousand.p90, 900);
    EXPECT_EQ(thousand.p99, 990);
    EXPECT_EQ(thousand.p999, 999);
    EXPECT_EQ(thousand.max, 1000);
    const LatencyStatistics three = latencyStatistics(upTo(3));
    EXPECT_EQ(three.median, 2);
    EXPECT_EQ(three.p90, 3);
}

TEST(Histogram, CountsEveryTimeOnce) {
    for (const size_t count : {size_t{1}, size_t{2}, size_t{13}, size_t{1000}}) {
        EXPECT_EQ(countOf(histogram(upTo(count))), count);
    }
}

TEST(Histogram, HasOneBinWhereAllTimesAreTheSame) {
    const std::vector<double> same(7, 1.5);
    const std::vector<HistogramBin> bins = histogram(same);
    ASSERT_EQ(bins.size(), 1U);
    EXPECT_EQ(bins[0].count, 7U);
}

TEST(Histogram, KeepsLateRoundsInABinOfTheirOwn) {
    std::vector<double> times = upTo(200);
    times.back() = 1e6;
    const std::vector<HistogramBin> bins = histogram(times);
    EXPECT_EQ(bins.size(), 13U);
    EXPECT_EQ(bins.back().to, 1e6);
    EXPECT_EQ(bins.back().count, 2U) << "what is beyond the 99th percentile";
    EXPECT_LT(bins[0].count, 20U) << "the others are told apart";
}

TEST(Histogram, DrawsTheFullestBinLongestAndLeavesNoneOut) {
    const std::vector<HistogramBin> bins = {{1, 2, 1000}, {2, 3, 500}, {3, 4, 1}, {4, 5, 0}};
    EXPECT_EQ(histogramText(bins), "      1.000 - 2.000           1000 " + std::string(50, '#') +
                                       "\n      2.000 - 3.000            500 " + std::string(25, '#') +
                                       "\n      3.000 - 4.000              1 #\n"
                                       "      4.000 - 5.000              0\n");
}

TEST(FairnessIndex, IsOneForEqualSharesAndOneNthForOneOfN) {
    EXPECT_DOUBLE_EQ(fairnessIndex(std::vector<double>{3, 3, 3, 3}), 1);
    EXPECT_DOUBLE_EQ(fairnessIndex(std::vector<double>{0, 0, 5, 0}), 0.25);
    EXPECT_DOUBLE_EQ(fairnessIndex(std::vector<double>{1, 3}), 0.8);
    EXPECT_DOUBLE_EQ(fairnessIndex(std::vector<double>{0, 0}), 1);
}

}  // namespace
}  // namespace larod::tools
