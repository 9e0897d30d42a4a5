// SPDX-License-Identifier: Apache-2.0
// The loops over pixels, in vector instructions that are chosen when the program runs.
//
// A "fixed" row has int16 samples with 7 bits of fraction: 0 to 255 * 128, so that a difference of two still fits, and
// one multiplication with rounding (the high half of twice a product, which every processor has) blends two samples by
// a weight of 15 bits. Chosen over 8 bits of each, which libraries use, for its 128 times smaller error at the same
// number of instructions.
//
// Rows that are read may be read up to kSlack samples behind their end: fixed rows have that room, and memory of inputs
// has it by contract (device.h). Fixed rows that are written may be written as far. Bytes are written exactly.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "device/proc/colour.h"
#include "device/proc/column_shuffle.h"

namespace larod::device::proc {

inline constexpr size_t kSlack = 64;

// A row of an RGB image to be written: planes[0] alone where interleaved.
struct RgbRow {
    std::array<uint8_t*, 3> planes{};
    bool interleaved = false;
};

namespace kernels {

// Chooses the instructions, which may open files. Throws Error where the processor has none that there is code for.
void warmUp();

void widen(const uint8_t* bytes, size_t count, int16_t* fixed);
void narrow(const int16_t* fixed, size_t count, uint8_t* bytes);
// Pairs of a sample of each.
void narrowPairs(const int16_t* first, const int16_t* second, size_t count, uint8_t* bytes);

// upper + (lower - upper) * weight; weights have 15 bits. Meanwhile the row `next` and the one `pitch` bytes behind it
// come into the cache, since the processor does not foresee a jump over rows.
void blendRows(const uint8_t* upper, const uint8_t* lower, int16_t weight, size_t count, const uint8_t* next,
               size_t pitch, int16_t* fixed);

// Blends neighbours in a row, which the caller has put side by side. A pack is two samples, the left and the right one:
// of one component, of two; or of three or four, then of 8 int16 of which the rest is not used. `fixed` has a row for
// each component.
void blendColumns1(const int16_t* packs, const int16_t* weights, size_t count, int16_t* fixed);
void blendColumns2(const int16_t* packs, const int16_t* weights, size_t count, const std::array<int16_t*, 2>& fixed);
// `weights` has each four times. `scratch` has 4 * (count + kSlack) samples.
void blendColumns4(const int16_t* packs, size_t components, const int16_t* weights, size_t count, int16_t* scratch,
                   const std::array<int16_t*, 4>& fixed);

// As blendColumns1(), of neighbours that are found by shuffling.
void shuffleColumns(const int16_t* line, const ColumnShuffle& shuffle, const int16_t* weights, size_t count,
                    int16_t* fixed);

// Takes a row of `components` (2 to 4) interleaved apart. The row may be read 4 * kSlack behind its end.
void split(const int16_t* line, size_t components, size_t count, const std::array<int16_t*, 4>& fixed);

// Fixed rows of Y, Cb, Cr, one sample of each a pixel.
void yuvToRgb(const std::array<const int16_t*, 3>& yCbCr, const YuvToRgb& matrix, size_t count, const RgbRow& out);
// A row of nv12, or of nv21 with a matrix of its own; `count` is even.
void nv12ToRgb(const uint8_t* luma, const uint8_t* chroma, bool crFirst, const YuvToRgb& matrix, size_t count,
               const RgbRow& out);
void storeRgb(const std::array<const int16_t*, 3>& rgb, size_t count, const RgbRow& out);

// Bytes in another order: from planes, and from samples of 3 or 4 bytes, of which the third is R where `blueFirst`.
void storeRgb(const std::array<const uint8_t*, 3>& rgb, size_t count, const RgbRow& out);
void storeRgb(const uint8_t* samples, size_t sampleBytes, bool blueFirst, size_t count, const RgbRow& out);

// Two rows of each R, G, B, with kSlack, to two rows of luma and one of pairs Cb, Cr (BT.601, limited range); `count`
// is even.
void rgbToNv12(const std::array<const uint8_t*, 3>& upper, const std::array<const uint8_t*, 3>& lower, size_t count,
               uint8_t* upperLuma, uint8_t* lowerLuma, uint8_t* chroma);

// (byte - mean) / scale as float32, of any alignment; means and scales repeat after 3.
void normalise(const uint8_t* bytes, const std::array<float, 3>& mean, const std::array<float, 3>& scale, size_t count,
               uint8_t* floats);

}  // namespace kernels

}  // namespace larod::device::proc
