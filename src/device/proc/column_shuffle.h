// SPDX-License-Identifier: Apache-2.0
// Tables by which vectors are shuffled so that each output column stands beside its left and its right neighbour.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace larod::device::proc {

// Where a row is not reduced, eight output samples need eight neighbouring samples of the source at most: one vector's
// part that bytes are shuffled in. ColumnPick is for rows that are.
class ColumnShuffle {
  public:
    static constexpr size_t kBlock = 8;         // samples of a window and of a block of output
    static constexpr size_t kBlocksAtOnce = 4;  // at most; the tables are filled up to a multiple

    // Takes the memory that build() needs for as many output samples.
    void reserve(size_t outputs);

    // Output sample i is made of first[i] and first[i] + 1, which grow with i. Returns whether they are near enough; if
    // not, there are no tables.
    bool build(std::span<const uint32_t> first, uint32_t begin);

    // The first sample of each block's window, counted from `begin`.
    [[nodiscard]] const uint32_t* starts() const noexcept { return starts_.data(); }

    // For each block the 16 bytes of the window that make the left (or right) neighbours.
    [[nodiscard]] const uint8_t* left() const noexcept { return bytes_.data(); }
    [[nodiscard]] const uint8_t* right() const noexcept { return bytes_.data() + bytes_.size() / 2; }

  private:
    std::vector<uint32_t> starts_;
    std::vector<uint8_t> bytes_;  // left, then right
};

}  // namespace larod::device::proc
