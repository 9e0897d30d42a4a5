// SPDX-License-Identifier: Apache-2.0
// Rows of planes: their samples as fixed ones and back, and blended with their neighbours.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "device/proc/column_pick.h"
#include "device/proc/column_shuffle.h"
#include "device/proc/row_kernels.h"

namespace larod::device::proc {

// The rows that come next, which are brought into the cache meanwhile, since the processor does not foresee a jump over
// rows: this one and the one `pitch` bytes behind it.
struct NextRows {
    const uint8_t* first = nullptr;
    size_t pitch = 0;
};

namespace kernels {

void widen(const uint8_t* bytes, size_t count, int16_t* fixed);
void narrow(const int16_t* fixed, size_t count, uint8_t* bytes);
// Pairs of a sample of each.
void narrowPairs(const int16_t* first, const int16_t* second, size_t count, uint8_t* bytes);

// upper + (lower - upper) * weight; weights have 15 bits.
void blendRows(const uint8_t* upper, const uint8_t* lower, int16_t weight, size_t count, const NextRows& next,
               int16_t* fixed);

// Blends the neighbours in a row that `shuffle` names.
void shuffleColumns(const int16_t* line, const ColumnShuffle& shuffle, const int16_t* weights, size_t count,
                    int16_t* fixed);

// Both at once, for the columns that are used and no others: blends the rows by `weight`, then the neighbours that
// `pick` names by its weights.
// `fixed` has a row for each component of `pick`.
void pickColumns(const uint8_t* upper, const uint8_t* lower, int16_t weight, const ColumnPick& pick, size_t count,
                 const NextRows& next, const std::array<int16_t*, 3>& fixed);

// Between each two samples of (3 near + far) / 4 the two that are a quarter and three quarters on the way: 2 * count
// bytes of an image that is doubled, rounded once. The first and the last are those at the border. `count` > 0.
void doubleRow(const uint8_t* near, const uint8_t* far, size_t count, uint8_t* output);

// Of each pair of bytes the first or the second: luma of yuyv or uyvy.
void takeOfPairs(const uint8_t* pairs, bool first, size_t count, uint8_t* bytes);

// Of each four bytes the first and the third, or else the second and the fourth: chroma of uyvy or yuyv.
void splitOfQuads(const uint8_t* quads, bool first, size_t count, uint8_t* left, uint8_t* right);

// Takes a row of `components` (2 to 4) interleaved apart. The row may be read 4 * kSlack behind its end.
void split(const int16_t* line, size_t components, size_t count, const std::array<int16_t*, 4>& fixed);

}  // namespace kernels

}  // namespace larod::device::proc
