// SPDX-License-Identifier: Apache-2.0
// Crops and scales a plane of memory, one output row at a time, and takes interleaved components apart on the way.
//
// Rows and not planes, so that what is in work stays in the cache and no intermediate has the size of an image.
// Vertically first, over contiguous bytes whatever is interleaved in them; then horizontally, where the neighbours that
// an output sample needs are first put side by side: by shuffling where they are near (ColumnShuffle), else by a load
// and a store a sample, which is less than what gathering instructions cost. Everything else is then vertical
// arithmetic. Loading the four samples of each output sample and blending only these is slower, even where a row is
// reduced by 6.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "device/image/image_format.h"
#include "device/proc/axis_filter.h"
#include "device/proc/column_shuffle.h"

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
    // filters.
    void setWindow(const AxisWindow& horizontal, Filter horizontalFilter, size_t width, const AxisWindow& vertical,
                   Filter verticalFilter, size_t height);

    // Puts output row `y` of each component into its place of `rows`. They point into the image or into this object,
    // and are valid until the next call. Rows of one plane are all bytes or all fixed.
    void row(const uint8_t* image, size_t y, Rows& rows);

    // The first sample in the window of the one source row that makes output row `y`; nullptr where several do.
    [[nodiscard]] const uint8_t* wholeRow(const uint8_t* image, size_t y) const noexcept;

  private:
    [[nodiscard]] const uint8_t* sourceRow(const uint8_t* image, size_t index) const noexcept;
    void takeApart(const uint8_t* source, Rows& rows);
    [[nodiscard]] const uint8_t* nextRow(const uint8_t* image, size_t y) const noexcept;
    void blendRows(const uint8_t* image, size_t y);
    void blendColumns();
    void shuffleColumns();
    void averageColumns();

    PlaneLayout layout_;
    AxisFilter horizontal_;
    AxisFilter vertical_;
    size_t lineSamples_ = 0;            // bytes of a row of the window
    size_t width_ = 0;                  // of an output row
    size_t stride_ = 0;                 // from one row of `fixed_` or `bytes_` to the next
    std::vector<uint32_t> firstBytes_;  // horizontal_.first() in bytes from the window's first sample
    std::vector<int16_t> weights_;      // of the right one of two neighbours, 15 bits; see blendColumns4()
    std::vector<uint32_t> sums_;        // of a row of the window, 16 bits of fraction
    std::vector<int16_t> line_;         // a row of the window, scaled vertically, in fixed point
    ColumnShuffle shuffle_;
    size_t splitStride_ = 0;      // from one component of the window's row, taken apart, to the next
    std::vector<int16_t> packs_;  // neighbours side by side, or that row
    std::vector<int16_t> fixed_;  // an output row of each byte of a sample, of four bytes where there are three
    std::vector<uint8_t> bytes_;  // likewise
};

}  // namespace larod::device::proc
