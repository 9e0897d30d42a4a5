// SPDX-License-Identifier: Apache-2.0
// What many measured times say. Times are in milliseconds.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace larod::tools {

struct LatencyStatistics {
    double min = 0;
    double median = 0;
    double mean = 0;
    double p90 = 0;
    double p99 = 0;
    double p999 = 0;
    double max = 0;
};

struct HistogramBin {
    double from = 0;
    double to = 0;  // exclusive, but for the last bin
    uint64_t count = 0;
};

// Both want at least one time, in ascending order.

// A percentile is the smallest time that at least so many percent of the times don't exceed.
[[nodiscard]] LatencyStatistics latencyStatistics(std::span<const double> sortedMs);

// Bins of equal width up to the 99th percentile, and one for what is beyond, so that a single late round does not press
// all others into one bin. A single bin where all times are the same.
[[nodiscard]] std::vector<HistogramBin> histogram(std::span<const double> sortedMs);

// A line a bin, each with its end.
[[nodiscard]] std::string histogramText(std::span<const HistogramBin> bins);

// Jain's index of fairness: 1 where all shares are the same, 1/n where one of n has everything. 1 where nobody has
// anything.
[[nodiscard]] double fairnessIndex(std::span<const double> shares);

}  // namespace larod::tools
