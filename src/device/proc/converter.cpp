// SPDX-License-Identifier: Apache-2.0
#include "device/proc/converter.h"

#include <algorithm>

namespace larod::device::proc {

namespace {

// Images of fewer bytes, input and output, are written by one thread: waking another costs as much as they do.
constexpr size_t kBytesForThreads = size_t{1} << 20;

// More would wait for memory.
constexpr size_t kMaxThreads = 8;

// Of a thread: enough that one that begins late is made up for, and few enough that the rows where bands meet, which
// both read, are few.
constexpr size_t kBands = 4;
constexpr size_t kMinBandRows = 16;

size_t bytesOf(const ImageSpec& image) {
    return image.pitch * image.height * describe(image.format).sizeQuarters / 4;
}

}  // namespace

Converter::Converter(const ProcParams& params, unsigned threads) : height_(params.output.height) {
    size_t count = std::min<size_t>({threads, kMaxThreads, height_ / kMinBandRows});
    if (count < 2 || bytesOf(params.input) + bytesOf(params.output) < kBytesForThreads) {
        count = 1;
    }
    converters_.reserve(count);
    for (size_t i = 0; i < count; ++i) {
        converters_.emplace_back(params);
    }
    if (count > 1) {
        bands_ = std::min(count * kBands, height_ / kMinBandRows);
        threads_.emplace(count, bands_, [this](size_t thread, size_t index) {
            converters_[thread].run(job_.crop, job_.input, job_.output, band(index));
        });
    }
}

void Converter::run(const Crop& crop, const uint8_t* input, uint8_t* output) {
    if (!threads_) {
        converters_[0].run(crop, input, output, {0, height_});
        return;
    }
    job_ = {crop, input, output};
    threads_->run();
}

Band Converter::band(size_t index) const noexcept {
    // Chroma of nv12 serves two rows.
    const auto edge = [this](size_t i) { return i == bands_ ? height_ : i * height_ / bands_ / 2 * 2; };
    return {edge(index), edge(index + 1)};
}

}  // namespace larod::device::proc
