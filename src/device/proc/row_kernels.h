// SPDX-License-Identifier: Apache-2.0
// What the loops over pixels have in common; they are in vector instructions that are chosen when the program runs.
//
// A "fixed" row has int16 samples with 7 bits of fraction: 0 to 255 * 128, so that a difference of two still fits, and
// one multiplication with rounding (the high half of twice a product, which every processor has) blends two samples by
// a weight of 15 bits. Chosen over 8 bits of each, which libraries use, for its 128 times smaller error at the same
// number of instructions.
//
// Rows that are read may be read up to kSlack samples behind their end: fixed rows have that room, and memory of inputs
// has it by contract (device.h). Fixed rows that are written may be written as far. Bytes are written exactly.
#pragma once

#include <cstddef>

namespace larod::device::proc {

inline constexpr int kFraction = 7;
inline constexpr size_t kSlack = 64;

namespace kernels {

// Chooses the instructions, which may open files. Throws Error where the processor has none that there is code for.
void warmUp();

}  // namespace kernels

}  // namespace larod::device::proc
