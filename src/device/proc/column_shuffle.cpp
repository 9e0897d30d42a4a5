// SPDX-License-Identifier: Apache-2.0
#include "device/proc/column_shuffle.h"

#include <algorithm>

namespace larod::device::proc {

namespace {

constexpr size_t kBlock = ColumnShuffle::kBlock;
constexpr uint8_t kElsewhere = 0x80;

// The two bytes of sample `place` of the windows, for the window that begins at sample `windowStart`.
void setSample(uint8_t* bytes, size_t place, size_t windowStart) {
    const bool inside = place >= windowStart && place < windowStart + kBlock;
    const auto first = static_cast<uint8_t>(2 * (place - windowStart));
    bytes[0] = inside ? first : kElsewhere;
    bytes[1] = inside ? static_cast<uint8_t>(first + 1) : kElsewhere;
}

size_t paddedBlocks(size_t outputs) {
    constexpr size_t kAtOnce = kBlock * ColumnShuffle::kBlocksAtOnce;
    return (outputs + kAtOnce - 1) / kAtOnce * ColumnShuffle::kBlocksAtOnce;
}

}  // namespace

void ColumnShuffle::reserve(size_t outputs) {
    const size_t blocks = paddedBlocks(outputs);
    starts_.reserve(blocks);
    bytes_.reserve(2 * kMaxWindows * blocks * 2 * kBlock);
}

void ColumnShuffle::build(std::span<const uint32_t> first, uint32_t begin) {
    windows_ = 0;
    size_t span = 0;
    for (size_t i = 0; i < first.size(); i += kBlock) {
        const size_t last = std::min(i + kBlock, first.size()) - 1;
        span = std::max<size_t>(span, first[last] - first[i] + 2);
    }
    if (span > kMaxWindows * kBlock) {
        return;
    }
    windows_ = span > kBlock ? 2 : 1;
    const size_t padded = paddedBlocks(first.size());
    side_ = padded * 2 * kBlock;
    starts_.assign(padded, 0);
    bytes_.assign(2 * windows_ * side_, kElsewhere);
    for (size_t i = 0; i < first.size(); ++i) {
        const uint32_t start = first[i / kBlock * kBlock];
        starts_[i / kBlock] = start - begin;
        for (size_t window = 0; window < windows_; ++window) {
            uint8_t* const leftBytes = bytes_.data() + 2 * window * side_ + 2 * i;
            setSample(leftBytes, first[i] - start, window * kBlock);
            setSample(leftBytes + side_, first[i] - start + 1, window * kBlock);
        }
    }
}

}  // namespace larod::device::proc
