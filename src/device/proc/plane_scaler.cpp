// SPDX-License-Identifier: Apache-2.0
#include "device/proc/plane_scaler.h"

#include <algorithm>
#include <type_traits>

namespace larod::device::proc {

namespace {

constexpr uint32_t kOne = AxisFilter::kOne;

// One component of one row. Sums stay below 2^32: 255 * 2^8 * 2^16 + 2^23.
template <typename Sample>
void scaleRow(const Sample* source, size_t sampleBytes, const uint32_t* first, const uint32_t* weights, size_t taps,
              uint8_t* output, size_t width) {
    constexpr unsigned kShift = std::is_same_v<Sample, uint8_t> ? 16 : 24;
    constexpr uint32_t kHalf = 1U << (kShift - 1);
    if (taps == 1) {
        for (size_t i = 0; i < width; ++i) {
            output[i] = static_cast<uint8_t>((source[first[i]] * kOne + kHalf) >> kShift);
        }
    } else if (taps == 2) {
        // One multiplication; what wraps comes back, as the result is in range.
        for (size_t i = 0; i < width; ++i) {
            const Sample* at = source + first[i];
            const uint32_t low = at[0];
            const uint32_t high = at[sampleBytes];
            output[i] = static_cast<uint8_t>((low * kOne + (high - low) * weights[2 * i + 1] + kHalf) >> kShift);
        }
    } else {
        for (size_t i = 0; i < width; ++i) {
            const Sample* at = source + first[i];
            uint32_t sum = kHalf;
            for (size_t t = 0; t < taps; ++t) {
                sum += at[t * sampleBytes] * weights[i * taps + t];
            }
            output[i] = static_cast<uint8_t>(sum >> kShift);
        }
    }
}

}  // namespace

void PlaneScaler::setWindow(const AxisWindow& horizontal, Filter horizontalFilter, size_t width,
                            const AxisWindow& vertical, Filter verticalFilter, size_t height) {
    horizontal_.build(horizontal, width, horizontalFilter);
    vertical_.build(vertical, height, verticalFilter);
    firstBytes_.resize(width);
    std::transform(horizontal_.first().begin(), horizontal_.first().end(), firstBytes_.begin(), [&](uint32_t first) {
        return static_cast<uint32_t>((first - horizontal_.begin()) * layout_.sampleBytes);
    });
    const size_t rowBytes = (horizontal_.end() - horizontal_.begin()) * layout_.sampleBytes;
    blended_.resize(std::max(blended_.size(), rowBytes));
    sums_.resize(std::max(sums_.size(), rowBytes));
    output_.resize(std::max(output_.size(), width * layout_.places.size()));
}

const uint8_t* PlaneScaler::sourceRow(const uint8_t* image, size_t index) const noexcept {
    return image + layout_.offset + index * layout_.pitch + horizontal_.begin() * layout_.sampleBytes;
}

const uint8_t* PlaneScaler::wholeRow(const uint8_t* image, size_t y) const noexcept {
    const uint32_t* const weights = vertical_.weights().data() + y * vertical_.taps();
    for (size_t t = 0; t < vertical_.taps(); ++t) {
        if (weights[t] == kOne) {
            return sourceRow(image, vertical_.first()[y] + t);
        }
    }
    return nullptr;
}

void PlaneScaler::row(const uint8_t* image, size_t y, Rows& rows) {
    const size_t width = firstBytes_.size();
    const uint8_t* const source = wholeRow(image, y);
    if (source != nullptr) {
        if (horizontal_.identity() && layout_.sampleBytes == 1) {
            rows[layout_.places[0].component] = source;
            return;
        }
    } else {
        blendRows(image, y);
    }
    uint8_t* output = output_.data();
    for (const ComponentPlace& place : layout_.places) {
        if (source != nullptr) {
            scaleRow(source + place.byte, layout_.sampleBytes, firstBytes_.data(), horizontal_.weights().data(),
                     horizontal_.taps(), output, width);
        } else {
            scaleRow(blended_.data() + place.byte, layout_.sampleBytes, firstBytes_.data(),
                     horizontal_.weights().data(), horizontal_.taps(), output, width);
        }
        rows[place.component] = output;
        output += width;
    }
}

void PlaneScaler::blendRows(const uint8_t* image, size_t y) {
    const uint8_t* source = sourceRow(image, vertical_.first()[y]);
    const uint32_t* weights = vertical_.weights().data() + y * vertical_.taps();
    // The last sample's bytes of other components are in the row, too: nv12's pair, three of rgb.
    const size_t rowBytes = (horizontal_.end() - horizontal_.begin()) * layout_.sampleBytes;
    uint16_t* const blended = blended_.data();
    if (vertical_.taps() == 2) {
        // 8 bits of weight, so that everything fits 16 bits: 255 * 256.
        const auto second = static_cast<uint16_t>((weights[1] + 128) >> 8);
        const auto one = static_cast<uint16_t>(256 - second);
        const uint8_t* const next = source + layout_.pitch;
        for (size_t i = 0; i < rowBytes; ++i) {
            blended[i] = static_cast<uint16_t>(source[i] * one + next[i] * second);
        }
        return;
    }
    uint32_t* const sums = sums_.data();
    std::fill_n(sums, rowBytes, 128U);
    for (size_t t = 0; t < vertical_.taps(); ++t, source += layout_.pitch) {
        const uint32_t weight = weights[t];
        if (weight == 0) {
            continue;
        }
        for (size_t i = 0; i < rowBytes; ++i) {
            sums[i] += source[i] * weight;
        }
    }
    for (size_t i = 0; i < rowBytes; ++i) {
        blended[i] = static_cast<uint16_t>(sums[i] >> 8);
    }
}

}  // namespace larod::device::proc
