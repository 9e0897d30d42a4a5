// SPDX-License-Identifier: Apache-2.0
// Crops and scales a plane of memory, one output row at a time, and takes interleaved components apart on the way.
//
// Rows and not planes, so that what is in work stays in the cache and no intermediate has the size of an image. The
// order of the arithmetic is always the same, first between rows, then between columns; what differs is how much of a
// row takes part:
// - Where a row is reduced, the columns that are used are picked first, as bytes, and nothing else is computed
//   (ColumnPick).
// - Otherwise the rows are blended, over contiguous bytes whatever is interleaved in them, and then the neighbours are
//   put side by side by shuffling (ColumnShuffle).
// - Doubling has four weights for all samples and is exact in 16 bits, without tables. Rows may stay as they are.
// - Boxes of more than two samples are sums.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "device/image/image_format.h"
#include "device/proc/axis_filter.h"
#include "device/proc/column_pick.h"
#include "device/proc/column_shuffle.h"
#include "device/proc/scale_kernels.h"

namespace larod::device::proc {

// Where a plane's samples are.
struct PlaneLayout {
    size_t offset = 0;                       // of the first row, in the image
    size_t pitch = 0;                        // bytes from one row to the next
    size_t sampleBytes = 1;                  // from one sample to the next: 2 in nv12's chroma; at most 4
    std::span<const ComponentPlace> places;  // what of a sample is used; lives longer
};

// A row of one component: as it is in the image, or, where samples were blended, in fixed point (row_kernels.h).
struct Row {
    const uint8_t* bytes = nullptr;
    const int16_t* fixed = nullptr;
};

using Rows = std::array<Row, 3>;

class PlaneScaler {
  public:
    explicit PlaneScaler(const PlaneLayout& layout) : layout_(layout) {}

    // What row() makes from now on. Allocates nothing after it was called with the whole image, for the same output and
    // filters. `rounded`: rows are used as bytes in the end, so that they may be given as such.
    void setWindow(const AxisWindow& horizontal, Filter horizontalFilter, size_t width, const AxisWindow& vertical,
                   Filter verticalFilter, size_t height, bool rounded);

    // To be called where an image begins: what is kept of rows is that of another one.
    void begin() noexcept { splitRows_.fill(SIZE_MAX); }

    // Puts output row `y` of each component into its place of `rows`. They point into the image or into this object,
    // and are valid until the next call. Rows of one plane are all bytes or all fixed.
    void row(const uint8_t* image, size_t y, Rows& rows);

    // Whether rowTo() is there: rows come in bytes that have to be computed.
    [[nodiscard]] bool doubles() const noexcept { return doubling_; }

    // As row(), but writes the components' bytes into outputs[component].
    void rowTo(const uint8_t* image, size_t y, const std::array<uint8_t*, 3>& outputs);

    // The first sample in the window of the one source row that makes output row `y`; nullptr where several do.
    [[nodiscard]] const uint8_t* wholeRow(const uint8_t* image, size_t y) const noexcept;

  private:
    [[nodiscard]] const uint8_t* sourceRow(const uint8_t* image, size_t index) const noexcept;
    void wholeSamples(const uint8_t* source, Rows& rows);
    void takeApart(const uint8_t* source, size_t count, uint8_t* bytes, size_t stride) const;
    [[nodiscard]] const uint8_t* componentsOf(const uint8_t* image, size_t index);
    [[nodiscard]] NextRows nextRows(const uint8_t* image, size_t y) const noexcept;
    void pickColumns(const uint8_t* image, size_t y, const uint8_t* whole);
    void blendRows(const uint8_t* image, size_t y);
    void splitLine(int16_t* rows, size_t stride) const;
    void shuffleColumns();
    void averageColumns();

    // How an output row is made of source rows that are blended.
    enum class Way : uint8_t { Gather, Pick, Shuffle, Average };

    PlaneLayout layout_;
    AxisFilter horizontal_;
    AxisFilter vertical_;
    Way way_ = Way::Gather;
    bool doubling_ = false;
    size_t lineSamples_ = 0;            // bytes of a row of the window
    size_t width_ = 0;                  // of an output row
    size_t stride_ = 0;                 // from one row of `fixed_` or `bytes_` to the next
    std::vector<uint32_t> firstBytes_;  // horizontal_.first() in bytes from the window's first sample
    std::vector<int16_t> weights_;      // of the right one of two neighbours, 15 bits
    std::vector<uint32_t> sums_;        // of a row of the window, 16 bits of fraction
    std::vector<int16_t> line_;         // a row of the window, scaled vertically, in fixed point
    ColumnPick pick_;
    ColumnShuffle shuffle_;
    size_t splitStride_ = 0;             // from one component of the window's row, taken apart, to the next
    std::vector<int16_t> split_;         // `line_`, taken apart
    std::vector<uint8_t> splitBytes_;    // of doubling: an even and an odd source row, taken apart
    std::array<size_t, 2> splitRows_{};  // which ones
    std::vector<int16_t> fixed_;         // an output row of each byte of a sample
    std::vector<uint8_t> bytes_;         // likewise
};

}  // namespace larod::device::proc
