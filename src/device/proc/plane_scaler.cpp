// SPDX-License-Identifier: Apache-2.0
#include "device/proc/plane_scaler.h"

#include <libyuv.h>

#include <algorithm>
namespace larod::device::proc {

namespace {

constexpr uint32_t kOne = AxisFilter::kOne;

// A weight of 16 bits as one of 15; 1.0 itself does not fit.
int16_t weight15(uint32_t weight) {
    return static_cast<int16_t>(std::min((weight + 1) / 2, uint32_t{INT16_MAX}));
}

// output[i] = source[first[i]]
template <typename Sample>
void gather(const Sample* source, const uint32_t* first, size_t width, Sample* output) {
    for (size_t i = 0; i < width; ++i) {
        output[i] = source[first[i]];
    }
}

}  // namespace

void PlaneScaler::setWindow(const AxisWindow& horizontal, Filter horizontalFilter, size_t width,
                            const AxisWindow& vertical, Filter verticalFilter, size_t height, bool rounded) {
    horizontal_.build(horizontal, width, horizontalFilter);
    vertical_.build(vertical, height, verticalFilter);
    width_ = width;
    stride_ = width + kSlack;
    doubling_ = rounded && horizontal_.doubling() && (vertical_.doubling() || vertical_.identity());
    const auto begin = static_cast<uint32_t>(horizontal_.begin());
    firstBytes_.resize(width);
    std::transform(horizontal_.first().begin(), horizontal_.first().end(), firstBytes_.begin(),
                   [&](uint32_t first) { return static_cast<uint32_t>((first - begin) * layout_.sampleBytes); });
    shuffle_.reserve(width);
    pick_.reserve(width, layout_.places.size());
    weights_.resize(stride_);
    way_ = horizontal_.taps() == 1 ? Way::Gather : Way::Average;
    if (horizontal_.taps() == 2) {
        for (size_t i = 0; i < width; ++i) {
            weights_[i] = weight15(horizontal_.weights()[2 * i + 1]);
        }
        if (horizontal_.identity() || shuffle_.build(horizontal_.first(), begin)) {
            way_ = Way::Shuffle;
        } else if (vertical_.taps() <= 2) {
            way_ = Way::Pick;
            pick_.build(horizontal_.first(), begin, weights_, layout_.sampleBytes, layout_.places);
        }
    }
    const auto grow = [](auto& vector, size_t size) { vector.resize(std::max(vector.size(), size)); };
    const size_t samples = horizontal_.end() - horizontal_.begin();
    lineSamples_ = samples * layout_.sampleBytes;
    grow(line_, lineSamples_ + 4 * kSlack);
    grow(sums_, lineSamples_);
    splitStride_ = samples + kSlack;
    grow(split_, layout_.sampleBytes * splitStride_);
    grow(splitBytes_, 2 * layout_.sampleBytes * splitStride_);
    grow(fixed_, layout_.sampleBytes * stride_);
    grow(bytes_, layout_.sampleBytes * stride_);
    this->begin();
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
    if (doubling_) {
        std::array<uint8_t*, 3> outputs{};
        for (const ComponentPlace& place : layout_.places) {
            outputs[place.component] = bytes_.data() + place.byte * stride_;
            rows[place.component] = {outputs[place.component], nullptr};
        }
        rowTo(image, y, outputs);
        return;
    }
    const uint8_t* const source = wholeRow(image, y);
    if (source != nullptr && horizontal_.taps() == 1) {
        wholeSamples(source, rows);
        return;
    }
    if (way_ == Way::Pick) {
        pickColumns(image, y, source);
    } else {
        if (source != nullptr) {
            kernels::widen(source, lineSamples_, line_.data());
        } else {
            blendRows(image, y);
        }
        if (horizontal_.identity() && layout_.sampleBytes == 1) {
            rows[layout_.places[0].component] = {nullptr, line_.data()};
            return;
        }
        if (horizontal_.identity()) {
            splitLine(fixed_.data(), stride_);
        } else if (way_ == Way::Gather) {
            for (const ComponentPlace& place : layout_.places) {
                gather(line_.data() + place.byte, firstBytes_.data(), width_, fixed_.data() + place.byte * stride_);
            }
        } else if (way_ == Way::Shuffle) {
            shuffleColumns();
        } else {
            averageColumns();
        }
    }
    for (const ComponentPlace& place : layout_.places) {
        rows[place.component] = {nullptr, fixed_.data() + place.byte * stride_};
    }
}

// One sample of the source makes one of the output.
void PlaneScaler::wholeSamples(const uint8_t* source, Rows& rows) {
    const bool identity = horizontal_.identity();
    if (identity && layout_.sampleBytes == 1) {
        rows[layout_.places[0].component] = {source, nullptr};
        return;
    }
    if (identity) {
        takeApart(source, width_, bytes_.data(), stride_);
    }
    for (const ComponentPlace& place : layout_.places) {
        uint8_t* const row = bytes_.data() + place.byte * stride_;
        if (!identity) {
            gather(source + place.byte, firstBytes_.data(), width_, row);
        }
        rows[place.component] = {row, nullptr};
    }
}

NextRows PlaneScaler::nextRows(const uint8_t* image, size_t y) const noexcept {
    return {sourceRow(image, vertical_.first()[std::min(y + 1, vertical_.first().size() - 1)]), layout_.pitch};
}

// A row of `bytes` for each byte of a sample that is used.
void PlaneScaler::takeApart(const uint8_t* source, size_t count, uint8_t* bytes, size_t stride) const {
    const auto width = static_cast<int>(count);
    const size_t first = layout_.places[0].byte;
    // Strides of single rows are never used: 0.
    if (layout_.sampleBytes == 2 && layout_.places.size() == 1) {
        kernels::takeOfPairs(source, first == 0, count, bytes + first * stride);
    } else if (layout_.sampleBytes == 4 && layout_.places.size() == 2) {
        kernels::splitOfQuads(source, first == 0, count, bytes + first * stride, bytes + (first + 2) * stride);
    } else if (layout_.sampleBytes == 2) {
        libyuv::SplitUVPlane(source, 0, bytes, 0, bytes + stride, 0, width, 1);
    } else if (layout_.sampleBytes == 3) {
        libyuv::SplitRGBPlane(source, 0, bytes, 0, bytes + stride, 0, bytes + 2 * stride, 0, width, 1);
    } else {
        // Its names are those of 32-bit numbers: blue is the first byte.
        libyuv::SplitARGBPlane(source, 0, bytes + 2 * stride, 0, bytes + stride, 0, bytes, 0, bytes + 3 * stride, 0,
                               width, 1);
    }
}

void PlaneScaler::rowTo(const uint8_t* image, size_t y, const std::array<uint8_t*, 3>& outputs) {
    size_t near = vertical_.begin() + y;
    size_t far = near;
    if (!vertical_.identity()) {
        const size_t upper = vertical_.first()[y];
        const uint32_t second = vertical_.weights()[2 * y + 1];  // 0, 1/4, 3/4 or 1
        near = second > kOne / 2 ? upper + 1 : upper;
        far = second == 0 || second == kOne ? near : 2 * upper + 1 - near;
    }
    const uint8_t* const nearRow = componentsOf(image, near);
    const uint8_t* const farRow = componentsOf(image, far);
    for (const ComponentPlace& place : layout_.places) {
        const size_t at = layout_.sampleBytes == 1 ? 0 : place.byte * splitStride_;
        kernels::doubleRow(nearRow + at, farRow + at, width_ / 2, outputs[place.component]);
    }
}

// Source row `index` of the window, a row of bytes for each component.
const uint8_t* PlaneScaler::componentsOf(const uint8_t* image, size_t index) {
    const uint8_t* const source = sourceRow(image, index);
    if (layout_.sampleBytes == 1) {
        return source;
    }
    uint8_t* const bytes = splitBytes_.data() + index % 2 * layout_.sampleBytes * splitStride_;
    if (splitRows_[index % 2] != index) {
        splitRows_[index % 2] = index;
        takeApart(source, width_ / 2, bytes, splitStride_);
    }
    return bytes;
}

// `whole` is nullptr where two rows are blended.
void PlaneScaler::pickColumns(const uint8_t* image, size_t y, const uint8_t* whole) {
    const uint8_t* upper = whole;
    const uint8_t* lower = upper;
    int16_t weight = 0;
    if (upper == nullptr) {
        upper = sourceRow(image, vertical_.first()[y]);
        lower = upper + layout_.pitch;
        weight = weight15(vertical_.weights()[2 * y + 1]);
    }
    std::array<int16_t*, 3> fixed{};
    for (size_t i = 0; i < layout_.places.size(); ++i) {
        fixed[i] = fixed_.data() + layout_.places[i].byte * stride_;
    }
    kernels::pickColumns(upper, lower, weight, pick_, width_, nextRows(image, y), fixed);
}

void PlaneScaler::blendRows(const uint8_t* image, size_t y) {
    const uint8_t* source = sourceRow(image, vertical_.first()[y]);
    const uint32_t* const weights = vertical_.weights().data() + y * vertical_.taps();
    if (vertical_.taps() == 2) {
        kernels::blendRows(source, source + layout_.pitch, weight15(weights[1]), lineSamples_, nextRows(image, y),
                           line_.data());
        return;
    }
    uint32_t* const sums = sums_.data();
    std::fill_n(sums, lineSamples_, 1U << 8);  // a half of what is lost below
    for (size_t t = 0; t < vertical_.taps(); ++t, source += layout_.pitch) {
        const uint32_t weight = weights[t];
        if (weight == 0) {
            continue;
        }
        for (size_t i = 0; i < lineSamples_; ++i) {
            sums[i] += source[i] * weight;
        }
    }
    for (size_t i = 0; i < lineSamples_; ++i) {
        line_[i] = static_cast<int16_t>(sums[i] >> 9);
    }
}

// The blended row, a row for each byte of a sample.
void PlaneScaler::splitLine(int16_t* rows, size_t stride) const {
    std::array<int16_t*, 4> fixed{};
    for (size_t byte = 0; byte < layout_.sampleBytes; ++byte) {
        fixed[byte] = rows + byte * stride;
    }
    kernels::split(line_.data(), layout_.sampleBytes, lineSamples_ / layout_.sampleBytes, fixed);
}

void PlaneScaler::shuffleColumns() {
    const int16_t* line = line_.data();
    size_t stride = 0;
    if (layout_.sampleBytes > 1) {
        stride = splitStride_;
        splitLine(split_.data(), stride);
        line = split_.data();
    }
    for (const ComponentPlace& place : layout_.places) {
        kernels::shuffleColumns(line + place.byte * stride, shuffle_, weights_.data(), width_,
                                fixed_.data() + place.byte * stride_);
    }
}

// Sums stay below 2^32: 255 * 2^7 * 2^16 + 2^15.
void PlaneScaler::averageColumns() {
    const size_t taps = horizontal_.taps();
    const uint32_t* const weights = horizontal_.weights().data();
    for (const ComponentPlace& place : layout_.places) {
        int16_t* const output = fixed_.data() + place.byte * stride_;
        for (size_t i = 0; i < width_; ++i) {
            const int16_t* const at = line_.data() + firstBytes_[i] + place.byte;
            uint32_t sum = kOne / 2;
            for (size_t t = 0; t < taps; ++t) {
                sum += static_cast<uint32_t>(at[t * layout_.sampleBytes]) * weights[i * taps + t];
            }
            output[i] = static_cast<int16_t>(sum >> 16);
        }
    }
}

}  // namespace larod::device::proc
