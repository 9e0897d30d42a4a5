// SPDX-License-Identifier: Apache-2.0
// Tables by which the neighbours of output columns are picked out of a row of bytes that is reduced.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "device/image/image_format.h"

namespace larod::device::proc {

// What is made at once are eight output samples, a block. They need two source samples of each component: 16 bytes of
// one component, a vector's part that bytes are shuffled in; so there is a part for one component, there are two for
// two, each of four outputs, and four for three, each of two outputs, of which a quarter is not used.
//
// The bytes of a part come from windows of 16 bytes, each of which begins at the first output whose neighbours are not
// in the one before. So what lies between is skipped, and eight windows are enough however far apart they are.
class ColumnPick {
  public:
    static constexpr size_t kBlock = 8;
    static constexpr size_t kPartBytes = 16;
    static constexpr size_t kGroup = 4;  // blocks; tables are filled up to a multiple, for the widest vectors

    // Takes the memory that build() needs for as many output samples and components.
    void reserve(size_t outputs, size_t components);

    // Output sample i is made of source samples first[i] and first[i] + 1, which grow with i and are counted from
    // `begin`, the right one with weights[i]; a sample has `sampleBytes`, at most 4, and the components that are
    // wanted, one to three, are at `places` of it.
    void build(std::span<const uint32_t> first, uint32_t begin, std::span<const int16_t> weights, size_t sampleBytes,
               std::span<const ComponentPlace> places);

    [[nodiscard]] size_t parts() const noexcept { return parts_; }
    [[nodiscard]] size_t windows() const noexcept { return windows_; }

    // The tables have an entry for each block of a group, then those of the next window, then those of the next part,
    // then those of the next group. Here are the entries of `block` for window 0 of part 0: the first byte of the
    // window, counted from the first byte of sample `begin`, and the bytes of the window that make the part, left and
    // right neighbour in turn, all of one component and then those of the next; above 127 where they are in another
    // window.
    [[nodiscard]] const uint32_t* starts(size_t block) const noexcept { return starts_.data() + entry(block, 0, 0); }
    [[nodiscard]] const uint8_t* bytes(size_t block) const noexcept {
        return bytes_.data() + entry(block, 0, 0) * kPartBytes;
    }

    // The same for the weights of a part, which are those of all windows.
    [[nodiscard]] const int16_t* weights(size_t block) const noexcept {
        return weights_.data() + (block / kGroup * kGroup * parts_ + block % kGroup) * kBlock;
    }

  private:
    [[nodiscard]] size_t entry(size_t block, size_t part, size_t window) const noexcept {
        return ((block / kGroup * parts_ + part) * windows_ + window) * kGroup + block % kGroup;
    }

    size_t parts_ = 1;
    size_t windows_ = 1;  // of each part
    std::vector<uint32_t> starts_;
    std::vector<uint8_t> bytes_;
    std::vector<int16_t> weights_;
};

}  // namespace larod::device::proc
