// SPDX-License-Identifier: Apache-2.0
// What luma and chroma mean as colours.
#pragma once

#include <cstdint>

namespace larod::device::proc {

// ITU-R BT.601, BT.709 and BT.2020 (non-constant luminance), of 8 bits: limited range has luma from 16 to 235 and
// chroma from 16 to 240, full range uses all values.
enum class Colorimetry : uint8_t { Bt601Limited, Bt601Full, Bt709Limited, Bt709Full, Bt2020Limited, Bt2020Full };

// R = luma (Y - offset) + redCr (Cr - 128)
// G = luma (Y - offset) - greenCb (Cb - 128) - greenCr (Cr - 128)
// B = luma (Y - offset) + blueCb (Cb - 128), each cut to 0 to 255.
//
// In fixed point, so that all fits 16 bits: `offset` has 7 bits of fraction; a half of `luma` and a quarter of each
// other coefficient have 15.
struct YuvToRgb {
    int16_t offset = 0;
    int16_t luma = 0;
    int16_t redCr = 0;
    int16_t greenCb = 0;
    int16_t greenCr = 0;
    int16_t blueCb = 0;
};

[[nodiscard]] YuvToRgb yuvToRgb(Colorimetry colorimetry) noexcept;

}  // namespace larod::device::proc
