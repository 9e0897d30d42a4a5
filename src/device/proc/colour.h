// SPDX-License-Identifier: Apache-2.0
// What luma and chroma mean as colours.
#pragma once

#include <cstdint>

#include "device/image/proc_params.h"

namespace larod::device::proc {

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
