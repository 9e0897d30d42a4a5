// SPDX-License-Identifier: Apache-2.0
// Makes rows of R, G, B of rows of Y, Cb, Cr.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "device/proc/colour.h"

namespace larod::device::proc {

class YuvConverter {
  public:
    explicit YuvConverter(Colorimetry colorimetry) noexcept;

    // One sample of each a pixel; `output` is interleaved.
    void row(const std::array<const uint8_t*, 3>& yCbCr, size_t width, uint8_t* output) const noexcept;

  private:
    // Coefficients times 2^kShift. Sums are within 2^31: 2.2 * 255 * 2 * 2^16.
    static constexpr unsigned kShift = 16;
    struct {
        int32_t luma, redCr, greenCb, greenCr, blueCb;
        int32_t red, green, blue;  // what the offsets of Y, Cb and Cr make, and a half for rounding
    } fixed_;
};

}  // namespace larod::device::proc
