// SPDX-License-Identifier: Apache-2.0
#include "device/proc/axis_filter.h"

#include <algorithm>

namespace larod::device::proc {

namespace {

// To the nearest; a half goes up.
uint32_t rounded(uint64_t numerator, uint64_t denominator) {
    return static_cast<uint32_t>((2 * numerator + denominator) / (2 * denominator));
}

}  // namespace

void AxisFilter::build(const AxisWindow& window, size_t outputSamples, Filter filter) {
    begin_ = window.beginHalves / 2;
    end_ = std::min(window.samples, (window.beginHalves + window.lengthHalves + 1) / 2);
    const size_t available = end_ - begin_;
    sample_ = 4 * uint64_t{outputSamples};
    const uint64_t begin = window.beginHalves * sample_ / 2;
    const uint64_t step = 2 * uint64_t{window.lengthHalves};

    switch (filter) {
        case Filter::Nearest:
            taps_ = 1;
            break;
        case Filter::Bilinear:
            taps_ = std::min<size_t>(2, available);
            break;
        case Filter::Box:
            // An interval of that length touches at most so many samples.
            taps_ = std::min(static_cast<size_t>((step + sample_ - 1) / sample_ + 1), available);
            break;
    }
    first_.clear();
    first_.reserve(outputSamples);
    weights_.clear();
    weights_.reserve(outputSamples * std::max<size_t>(taps_, 3));  // of two, or of rows that are averaged by two
    for (size_t i = 0; i < outputSamples; ++i) {
        const uint64_t low = begin + i * step;
        switch (filter) {
            case Filter::Nearest:
                addNearest(low + step / 2);
                break;
            case Filter::Bilinear:
                addBilinear(low + step / 2);
                break;
            case Filter::Box:
                addBox(low, low + step);
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

void AxisFilter::addNearest(uint64_t centre) {
    // A centre between two samples takes the first one: chroma of an odd window starts at floor(x / 2).
    const auto index = static_cast<size_t>((centre - 1) / sample_);
    first_.push_back(static_cast<uint32_t>(std::clamp(index, begin_, end_ - 1)));
    weights_.push_back(kOne);
}

void AxisFilter::addBilinear(uint64_t centre) {
    const uint64_t half = sample_ / 2;
    const uint64_t position = std::clamp(centre, begin_ * sample_ + half, (end_ - 1) * sample_ + half) - half;
    const size_t index = std::min(static_cast<size_t>(position / sample_), end_ - taps_);
    first_.push_back(static_cast<uint32_t>(index));
    if (taps_ == 1) {
        weights_.push_back(kOne);
        return;
    }
    const uint32_t second = rounded((position - index * sample_) * kOne, sample_);
    weights_.push_back(kOne - second);
    weights_.push_back(second);
}

void AxisFilter::addBox(uint64_t low, uint64_t high) {
    const size_t index = std::clamp(static_cast<size_t>(low / sample_), begin_, end_ - taps_);
    first_.push_back(static_cast<uint32_t>(index));
    // Rounding the running sum and not each weight makes the sum right.
    uint32_t given = 0;
    for (size_t t = 0; t < taps_; ++t) {
        const uint64_t covered = std::clamp((index + t + 1) * sample_, low, high) - low;
        const uint32_t sum = rounded(covered * kOne, high - low);
        weights_.push_back(sum - given);
        given = sum;
    }
}

}  // namespace larod::device::proc
