// SPDX-License-Identifier: Apache-2.0
// Rows of pixels: colours converted, interleaved and normalised.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "device/proc/colour.h"
#include "device/proc/row_kernels.h"

namespace larod::device::proc {

// A row of an RGB image to be written: planes[0] alone where interleaved.
struct RgbRow {
    std::array<uint8_t*, 3> planes{};
    bool interleaved = false;
};

namespace kernels {

// Fixed rows of Y, Cb, Cr, one sample of each a pixel.
void yuvToRgb(const std::array<const int16_t*, 3>& yCbCr, const YuvToRgb& matrix, size_t count, const RgbRow& out);
// A row of nv12, or of nv21 with a matrix of its own; `count` is even.
void nv12ToRgb(const uint8_t* luma, const uint8_t* chroma, bool crFirst, const YuvToRgb& matrix, size_t count,
               const RgbRow& out);
// A row of i420: a sample of cb and cr for each two pixels; `count` is even.
void i420ToRgb(const uint8_t* luma, const uint8_t* cb, const uint8_t* cr, const YuvToRgb& matrix, size_t count,
               const RgbRow& out);
// A row of yuyv, or of uyvy where luma is not first; `count` is even.
void packed422ToRgb(const uint8_t* pixels, bool lumaFirst, const YuvToRgb& matrix, size_t count, const RgbRow& out);
// Two rows of such pixels to two of luma and one of pairs Cb, Cr, averaged.
void packed422ToNv12(const uint8_t* upper, const uint8_t* lower, bool lumaFirst, size_t count, uint8_t* upperLuma,
                     uint8_t* lowerLuma, uint8_t* chroma);
void storeRgb(const std::array<const int16_t*, 3>& rgb, size_t count, const RgbRow& out);

// Bytes in another order: from planes, and from samples of 3 or 4 bytes, of which the third is R where `blueFirst`.
void storeRgb(const std::array<const uint8_t*, 3>& rgb, size_t count, const RgbRow& out);
void storeRgb(const uint8_t* samples, size_t sampleBytes, bool blueFirst, size_t count, const RgbRow& out);

// Interleaved.
void grayToRgb(const uint8_t* gray, size_t count, uint8_t* rgb);

// Two rows of each R, G, B, with kSlack, to two rows of luma and one of pairs Cb, Cr (BT.601, limited range); `count`
// is even.
void rgbToNv12(const std::array<const uint8_t*, 3>& upper, const std::array<const uint8_t*, 3>& lower, size_t count,
               uint8_t* upperLuma, uint8_t* lowerLuma, uint8_t* chroma);

// (byte - mean) / scale as float32, of any alignment; means and scales repeat after 3.
void normalise(const uint8_t* bytes, const std::array<float, 3>& mean, const std::array<float, 3>& scale, size_t count,
               uint8_t* floats);

}  // namespace kernels

}  // namespace larod::device::proc
