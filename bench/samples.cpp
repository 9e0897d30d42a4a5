// SPDX-License-Identifier: Apache-2.0
#include "bench/samples.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace larod::bench {

double quantile(std::vector<double> values, double share) {
    if (values.empty()) {
        return 0;
    }
    std::sort(values.begin(), values.end());
    const auto place = static_cast<size_t>(share * static_cast<double>(values.size() - 1) + 0.5);
    return values[place];
}

void Samples::addBlock(const std::vector<double>& durations) {
    blockMedians_.push_back(quantile(durations, 0.5));
    singles_.insert(singles_.end(), durations.begin(), durations.end());
}

MedianOfRounds medianOfRounds(std::vector<double> values) {
    const double median = quantile(values, 0.5);
    const auto count = static_cast<double>(values.size());
    // How many values lie below the median is binomial, here by its normal approximation.
    const double below = std::floor((count - 1.96 * std::sqrt(count)) / 2);
    if (below < 0) {
        return {median, std::nan(""), std::nan("")};
    }
    std::sort(values.begin(), values.end());
    const auto place = static_cast<size_t>(below);
    return {median, values[place], values[values.size() - 1 - place]};
}

MedianOfRounds ratio(const Samples& a, const Samples& b) {
    std::vector<double> ratios;
    for (size_t i = 0; i < std::min(a.blockMedians().size(), b.blockMedians().size()); ++i) {
        ratios.push_back(a.blockMedians()[i] / b.blockMedians()[i]);
    }
    return medianOfRounds(std::move(ratios));
}

MedianOfRounds differenceIn(const Samples& unit, const Samples& a, const Samples& b) {
    std::vector<double> differences;
    for (size_t i = 0; i < unit.blockMedians().size(); ++i) {
        differences.push_back((a.blockMedians()[i] - b.blockMedians()[i]) / unit.blockMedians()[i]);
    }
    return medianOfRounds(std::move(differences));
}

}  // namespace larod::bench
