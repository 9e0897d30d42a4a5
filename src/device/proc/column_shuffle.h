// SPDX-License-Identifier: Apache-2.0
// Tables by which vectors are shuffled so that each output column stands beside its left and its right neighbour.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace larod::device::proc {

// Eight output samples need few neighbouring samples of the source, unless it is much larger: one or two windows of
// eight. For more it is cheaper to load each pair on its own.
class ColumnShuffle {
  public:
    static constexpr size_t kBlock = 8;  // samples of a window and of a block of output
    static constexpr size_t kMaxWindows = 2;
    static constexpr size_t kBlocksAtOnce = 4;  // at most; the tables are filled up to a multiple

    // Takes the memory that build() needs for as many output samples.
    void reserve(size_t outputs);

    // Output sample i is made of first[i] and first[i] + 1, which grow with i.
    void build(std::span<const uint32_t> first, uint32_t begin);

    // 1 or 2; 0 where the samples are too far apart, and then there are no tables.
    [[nodiscard]] size_t windows() const noexcept { return windows_; }

    // The first sample of each block's first window, counted from `begin`.
    [[nodiscard]] const uint32_t* starts() const noexcept { return starts_.data(); }

    // For each block the 16 bytes of the window that make the left (or right) neighbours; above 127 where the sample
    // is in the other window.
    [[nodiscard]] const uint8_t* left(size_t window) const noexcept { return bytes_.data() + 2 * window * side_; }
    [[nodiscard]] const uint8_t* right(size_t window) const noexcept { return left(window) + side_; }

  private:
    size_t windows_ = 0;
    size_t side_ = 0;  // bytes of one table
    std::vector<uint32_t> starts_;
    std::vector<uint8_t> bytes_;
};

}  // namespace larod::device::proc
