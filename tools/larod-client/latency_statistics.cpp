// SPDX-License-Identifier: Apache-2.0
// What many measured times say.
#include "larod-client/latency_statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace larod::tools {

namespace {

constexpr size_t kHistogramBins = 12;  // without the one for late rounds
constexpr size_t kBarWidth = 50;

double percentile(std::span<const double> sorted, double percent) {
    // A little less, since 99.9 % of 1000 is 999 and not what rounding makes of it.
    const double rank = std::ceil(percent / 100 * static_cast<double>(sorted.size()) - 1e-9);
    return sorted[static_cast<size_t>(std::max(rank, 1.0)) - 1];
}

}  // namespace

LatencyStatistics latencyStatistics(std::span<const double> sortedMs) {
    LatencyStatistics result;
    result.min = sortedMs.front();
    result.median = percentile(sortedMs, 50);
    result.mean = std::accumulate(sortedMs.begin(), sortedMs.end(), 0.0) / static_cast<double>(sortedMs.size());
    result.p90 = percentile(sortedMs, 90);
    result.p99 = percentile(sortedMs, 99);
    result.p999 = percentile(sortedMs, 99.9);
    result.max = sortedMs.back();
    return result;
}

std::vector<HistogramBin> histogram(std::span<const double> sortedMs) {
    const double first = sortedMs.front();
    const double last = percentile(sortedMs, 99);
    std::vector<HistogramBin> bins;
    const double width = (last - first) / kHistogramBins;
    size_t begin = 0;
    const auto addUntil = [&](double from, double to, size_t end) {
        bins.push_back({from, to, end - begin});
        begin = end;
    };
    const auto placeOf = [&](auto bound) { return static_cast<size_t>(bound - sortedMs.begin()); };
    for (size_t bin = 0; width > 0 && bin + 1 < kHistogramBins; ++bin) {
        const double to = first + width * static_cast<double>(bin + 1);
        addUntil(first + width * static_cast<double>(bin), to,
                 placeOf(std::lower_bound(sortedMs.begin(), sortedMs.end(), to)));
    }
    addUntil(width > 0 ? last - width : first, last, placeOf(std::upper_bound(sortedMs.begin(), sortedMs.end(), last)));
    if (begin < sortedMs.size()) {
        addUntil(last, sortedMs.back(), sortedMs.size());
    }
    return bins;
}

std::string histogramText(std::span<const HistogramBin> bins) {
    uint64_t most = 1;
    for (const HistogramBin& bin : bins) {
        most = std::max(most, bin.count);
    }
    std::string text;
    for (const HistogramBin& bin : bins) {
        // What is there at all is seen.
        const uint64_t length = bin.count == 0 ? 0 : std::max<uint64_t>(1, bin.count * kBarWidth / most);
        text += fmt::format(" {:>10.3f} - {:<10.3f} {:>9} {}", bin.from, bin.to, bin.count,
                            std::string(static_cast<size_t>(length), '#'));
        text.erase(text.find_last_not_of(' ') + 1);
        text += '\n';
    }
    return text;
}

double fairnessIndex(std::span<const double> shares) {
    double sum = 0;
    double squares = 0;
    for (const double share : shares) {
        sum += share;
        squares += share * share;
    }
    return squares == 0 ? 1 : sum * sum / (static_cast<double>(shares.size()) * squares);
}

}  // namespace larod::tools
