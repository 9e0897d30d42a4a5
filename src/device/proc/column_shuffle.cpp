// SPDX-License-Identifier: Apache-2.0
#include "device/proc/column_shuffle.h"

#include <algorithm>

namespace larod::device::proc {

namespace {

constexpr size_t kBlock = ColumnShuffle::kBlock;
constexpr uint8_t kNone = 0x80;

// The two bytes of sample `place` of a window.
void setSample(uint8_t* bytes, size_t place) {
    bytes[0] = static_cast<uint8_t>(2 * place);
    bytes[1] = static_cast<uint8_t>(2 * place + 1);
}

size_t paddedBlocks(size_t outputs) {
    constexpr size_t kAtOnce = kBlock * ColumnShuffle::kBlocksAtOnce;
    return (outputs + kAtOnce - 1) / kAtOnce * ColumnShuffle::kBlocksAtOnce;
}

}  // namespace

void ColumnShuffle::reserve(size_t outputs) {
    const size_t blocks = paddedBlocks(outputs);
    starts_.reserve(blocks);
    bytes_.reserve(2 * blocks * 2 * kBlock);
}

bool ColumnShuffle::build(std::span<const uint32_t> first, uint32_t begin) {
    starts_.clear();
    bytes_.clear();
    for (size_t i = 0; i < first.size(); i += kBlock) {
        const size_t last = std::min(i + kBlock, first.size()) - 1;
        if (first[last] - first[i] + 2 > kBlock) {
            return false;
        }
    }
    const size_t padded = paddedBlocks(first.size());
    const size_t side = padded * 2 * kBlock;
    starts_.assign(padded, 0);
    bytes_.assign(2 * side, kNone);
    for (size_t i = 0; i < first.size(); ++i) {
        const uint32_t start = first[i / kBlock * kBlock];
        starts_[i / kBlock] = start - begin;
        setSample(bytes_.data() + 2 * i, first[i] - start);
        setSample(bytes_.data() + side + 2 * i, first[i] - start + 1);
    }
    return true;
}

}  // namespace larod::device::proc
