// SPDX-License-Identifier: Apache-2.0
#include "device/proc/plane_scaler.h"

#include <libyuv.h>

#include <algorithm>
#include <cstring>

#include "device/proc/row_kernels.h"

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

// packs[i] = kSamples samples of the line, from first[i] on
template <size_t kSamples>
void pack(const int16_t* line, const uint32_t* first, size_t width, int16_t* packs) {
    for (size_t i = 0; i < width; ++i) {
        std::memcpy(packs + i * kSamples, line + first[i], kSamples * sizeof *packs);
    }
}

}  // namespace

void PlaneScaler::setWindow(const AxisWindow& horizontal, Filter horizontalFilter, size_t width,
                            const AxisWindow& vertical, Filter verticalFilter, size_t height) {
    horizontal_.build(horizontal, width, horizontalFilter);
    vertical_.build(vertical, height, verticalFilter);
    width_ = width;
    stride_ = width + kSlack;
    shuffle_.reserve(width);
    weights_.reserve(4 * stride_);
    firstBytes_.resize(width);
    std::transform(horizontal_.first().begin(), horizontal_.first().end(), firstBytes_.begin(), [&](uint32_t first) {
        return static_cast<uint32_t>((first - horizontal_.begin()) * layout_.sampleBytes);
    });
    if (horizontal_.taps() == 2) {
        shuffle_.build(horizontal_.first(), static_cast<uint32_t>(horizontal_.begin()));
        const size_t each = layout_.sampleBytes > 2 && shuffle_.windows() == 0 ? 4 : 1;
        weights_.resize(each * stride_);
        for (size_t i = 0; i < each * width; ++i) {
            weights_[i] = weight15(horizontal_.weights()[2 * (i / each) + 1]);
        }
    }
    lineSamples_ = (horizontal_.end() - horizontal_.begin()) * layout_.sampleBytes;
    const auto grow = [](auto& vector, size_t size) { vector.resize(std::max(vector.size(), size)); };
    grow(line_, lineSamples_ + 4 * kSlack);
    grow(sums_, lineSamples_);
    const size_t components = layout_.sampleBytes > 2 ? 4 : layout_.sampleBytes;
    splitStride_ = horizontal_.end() - horizontal_.begin() + kSlack;
    grow(packs_, std::max(3 * components * stride_, components * splitStride_));
    grow(fixed_, components * stride_);
    grow(bytes_, components * stride_);
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
    const uint8_t* const source = wholeRow(image, y);
    if (source != nullptr && horizontal_.taps() == 1) {
        takeApart(source, rows);
        return;
    }
    if (source != nullptr) {
        kernels::widen(source, lineSamples_, line_.data());
    } else {
        blendRows(image, y);
    }
    if (horizontal_.identity() && layout_.sampleBytes == 1) {
        rows[layout_.places[0].component] = {nullptr, line_.data()};
        return;
    }
    if (horizontal_.taps() == 1) {
        for (const ComponentPlace& place : layout_.places) {
            gather(line_.data() + place.byte, firstBytes_.data(), width_, fixed_.data() + place.byte * stride_);
        }
    } else if (horizontal_.taps() == 2) {
        blendColumns();
    } else {
        averageColumns();
    }
    for (const ComponentPlace& place : layout_.places) {
        rows[place.component] = {nullptr, fixed_.data() + place.byte * stride_};
    }
}

const uint8_t* PlaneScaler::nextRow(const uint8_t* image, size_t y) const noexcept {
    return sourceRow(image, vertical_.first()[std::min(y + 1, vertical_.first().size() - 1)]);
}

// One sample of the source makes one of the output.
void PlaneScaler::takeApart(const uint8_t* source, Rows& rows) {
    if (horizontal_.identity() && layout_.sampleBytes == 1) {
        rows[layout_.places[0].component] = {source, nullptr};
        return;
    }
    uint8_t* const bytes = bytes_.data();
    const auto width = static_cast<int>(width_);
    // Strides of single rows are never used: 0.
    if (horizontal_.identity() && layout_.sampleBytes == 2) {
        libyuv::SplitUVPlane(source, 0, bytes, 0, bytes + stride_, 0, width, 1);
    } else if (horizontal_.identity() && layout_.sampleBytes == 3) {
        libyuv::SplitRGBPlane(source, 0, bytes, 0, bytes + stride_, 0, bytes + 2 * stride_, 0, width, 1);
    } else {
        for (const ComponentPlace& place : layout_.places) {
            gather(source + place.byte, firstBytes_.data(), width_, bytes + place.byte * stride_);
        }
    }
    for (const ComponentPlace& place : layout_.places) {
        rows[place.component] = {bytes + place.byte * stride_, nullptr};
    }
}

void PlaneScaler::blendRows(const uint8_t* image, size_t y) {
    const uint8_t* source = sourceRow(image, vertical_.first()[y]);
    const uint32_t* const weights = vertical_.weights().data() + y * vertical_.taps();
    if (vertical_.taps() == 2) {
        kernels::blendRows(source, source + layout_.pitch, weight15(weights[1]), lineSamples_, nextRow(image, y),
                           layout_.pitch, line_.data());
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

void PlaneScaler::blendColumns() {
    const int16_t* const line = line_.data();
    const uint32_t* const first = firstBytes_.data();
    const auto output = [this](size_t byte) { return fixed_.data() + byte * stride_; };
    int16_t* const packs = packs_.data();
    if (shuffle_.windows() != 0) {
        shuffleColumns();
    } else if (layout_.sampleBytes == 1) {
        pack<2>(line, first, width_, packs);
        kernels::blendColumns1(packs, weights_.data(), width_, output(0));
    } else if (layout_.sampleBytes == 2) {
        pack<4>(line, first, width_, packs);
        kernels::blendColumns2(packs, weights_.data(), width_, {output(0), output(1)});
    } else {
        pack<8>(line, first, width_, packs);
        kernels::blendColumns4(packs, layout_.sampleBytes, weights_.data(), width_, packs + 8 * stride_,
                               {output(0), output(1), output(2), output(3)});
    }
}

void PlaneScaler::shuffleColumns() {
    const int16_t* line = line_.data();
    size_t stride = 0;
    if (layout_.sampleBytes > 1) {
        int16_t* const rows = packs_.data();
        stride = splitStride_;
        kernels::split(line, layout_.sampleBytes, lineSamples_ / layout_.sampleBytes,
                       {rows, rows + stride, rows + 2 * stride, rows + 3 * stride});
        line = rows;
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
