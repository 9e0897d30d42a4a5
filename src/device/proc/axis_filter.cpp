// SPDX-License-Identifier: Apache-2.0
#include "device/proc/axis_filter.h"

#include <algorithm>
#include <cmath>

namespace larod::device::proc {

void AxisFilter::build(const AxisWindow& window, size_t outputSamples, Filter filter) {
    const double begin = static_cast<double>(window.beginHalves) / 2;
    const double length = static_cast<double>(window.lengthHalves) / 2;
    begin_ = window.beginHalves / 2;
    end_ = std::min(window.samples, (window.beginHalves + window.lengthHalves + 1) / 2);
    const size_t available = end_ - begin_;
    const double step = length / static_cast<double>(outputSamples);

    switch (filter) {
        case Filter::Nearest:
            taps_ = 1;
            break;
        case Filter::Bilinear:
            taps_ = std::min<size_t>(2, available);
            break;
        case Filter::Box:
            // An interval of that length touches at most so many samples.
            taps_ = std::min(static_cast<size_t>(std::ceil(step)) + 1, available);
            break;
    }
    first_.clear();
    first_.reserve(outputSamples);
    weights_.clear();
    weights_.reserve(outputSamples * std::max<size_t>(taps_, 3));  // of two, or of rows that are averaged by two
    for (size_t i = 0; i < outputSamples; ++i) {
        const double low = begin + static_cast<double>(i) * step;
        switch (filter) {
            case Filter::Nearest:
                addNearest(low + step / 2);
                break;
            case Filter::Bilinear:
                addBilinear(low + step / 2);
                break;
            case Filter::Box:
                addBox(low, begin + static_cast<double>(i + 1) * step);
                break;
        }
    }

    identity_ = outputSamples == available;
    for (size_t i = 0; i < outputSamples && identity_; ++i) {
        // The one tap with all the weight is the sample of the same place.
        const size_t place = begin_ + i - first_[i];
        identity_ = place < taps_ && weights_[i * taps_ + place] == kOne;
    }
    doubling_ = filter == Filter::Bilinear && isDoubling(outputSamples);
}

bool AxisFilter::isDoubling(size_t outputSamples) const {
    if (taps_ != 2 || outputSamples != 2 * (end_ - begin_)) {
        return false;
    }
    // All but the first and the last one, which are the samples at the border.
    for (size_t i = 1; i + 1 < outputSamples; ++i) {
        const uint32_t second = i % 2 == 1 ? kOne / 4 : kOne / 4 * 3;
        if (first_[i] != begin_ + (i - 1) / 2 || weights_[2 * i + 1] != second) {
            return false;
        }
    }
    return true;
}

void AxisFilter::addNearest(double centre) {
    // A centre between two samples takes the first one: chroma of an odd window starts at floor(x / 2).
    const auto index = static_cast<size_t>(std::max(0.0, std::ceil(centre) - 1));
    first_.push_back(static_cast<uint32_t>(std::clamp(index, begin_, end_ - 1)));
    weights_.push_back(kOne);
}

void AxisFilter::addBilinear(double centre) {
    const double position = std::clamp(centre - 0.5, static_cast<double>(begin_), static_cast<double>(end_ - 1));
    const size_t index = std::min(static_cast<size_t>(position), end_ - taps_);
    first_.push_back(static_cast<uint32_t>(index));
    if (taps_ == 1) {
        weights_.push_back(kOne);
        return;
    }
    const auto second = static_cast<uint32_t>(std::lround((position - static_cast<double>(index)) * kOne));
    weights_.push_back(kOne - second);
    weights_.push_back(second);
}

void AxisFilter::addBox(double low, double high) {
    const size_t index = std::clamp(static_cast<size_t>(low), begin_, end_ - taps_);
    first_.push_back(static_cast<uint32_t>(index));
    const size_t base = weights_.size();
    // Rounding the running sum and not each weight makes the sum right.
    uint32_t given = 0;
    for (size_t t = 0; t < taps_; ++t) {
        const double covered = std::clamp(static_cast<double>(index + t + 1), low, high) - low;
        const auto sum = static_cast<uint32_t>(std::lround(covered / (high - low) * kOne));
        weights_.push_back(sum - given);
        given = sum;
    }
    weights_[base + taps_ - 1] += kOne - given;  // what rounding of `low` and `high` left
}

}  // namespace larod::device::proc
