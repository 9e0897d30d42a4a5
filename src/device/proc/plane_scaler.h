// SPDX-License-Identifier: Apache-2.0
// Crops and scales a plane of memory, one output row at a time, and takes interleaved components apart on the way.
//
// Not libyuv's ScalePlane, although it is fast: its enlargement puts corners on corners instead of centres on centres,
// its box filter takes whole samples only and is up to 16 off on constant planes, and its 3/8 reduction is 1 off. Rows
// and not planes, so that what is in work stays in the cache and no intermediate has the size of an image.
//
// Vertically first, over contiguous bytes, which compilers vectorise whatever is interleaved in them; then
// horizontally. Between the two, samples have 8 bits of fraction.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "device/proc/axis_filter.h"
#include "device/proc/image_format.h"

namespace larod::device::proc {

// Where a plane's samples are.
struct PlaneLayout {
    size_t offset = 0;                       // of the first row, in the image
    size_t pitch = 0;                        // bytes from one row to the next
    size_t sampleBytes = 1;                  // from one sample to the next: 2 in nv12's chroma
    std::span<const ComponentPlace> places;  // what of a sample is used; lives longer
};

class PlaneScaler {
  public:
    using Rows = std::array<const uint8_t*, 3>;

    explicit PlaneScaler(const PlaneLayout& layout) : layout_(layout) {}

    // What row() makes from now on. Allocates only where tables or rows grow.
    void setWindow(const AxisWindow& horizontal, Filter horizontalFilter, size_t width, const AxisWindow& vertical,
                   Filter verticalFilter, size_t height);

    // Puts output row `y` of each component into its place of `rows`. They point into the image or into this object,
    // and are valid until the next call.
    void row(const uint8_t* image, size_t y, Rows& rows);

    // The first sample in the window of the one source row that makes output row `y`; nullptr where several do.
    [[nodiscard]] const uint8_t* wholeRow(const uint8_t* image, size_t y) const noexcept;

  private:
    [[nodiscard]] const uint8_t* sourceRow(const uint8_t* image, size_t index) const noexcept;
    void blendRows(const uint8_t* image, size_t y);

    PlaneLayout layout_;
    AxisFilter horizontal_;
    AxisFilter vertical_;
    std::vector<uint32_t> firstBytes_;  // horizontal_.first() in bytes from the window's first sample
    std::vector<uint32_t> sums_;        // of a row of the window, 16 bits of fraction
    std::vector<uint16_t> blended_;     // likewise, 8 bits of fraction
    std::vector<uint8_t> output_;       // a row of each component
};

}  // namespace larod::device::proc
