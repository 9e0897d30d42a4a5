// SPDX-License-Identifier: Apache-2.0
// (pixel - mean) / scale of each channel, as int8, float16 or float32.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "device/image/image_spec.h"

namespace larod::device::proc {

// A pixel has 256 values, so every result of int8 and float16 is known before the first job; a float32 is computed as
// fast as it could be looked up. int8 results are rounded to the nearest and
// cut to -128 to 127; float16 ones are rounded to the nearest, to even at a tie.
class Normaliser {
  public:
    // The results must be finite in `type`. With Uint8 there is nothing to do, and row() must not be called.
    Normaliser(SampleType type, const std::array<float, 3>& mean, const std::array<float, 3>& scale);

    // `count` values, of R, G, B in turn or all of one channel. `pixels` may be read kSlack bytes behind its end,
    // `output` has any alignment.
    void interleavedRow(const uint8_t* pixels, size_t count, uint8_t* output) const noexcept;
    void planarRow(const uint8_t* pixels, size_t channel, size_t count, uint8_t* output) const noexcept;

  private:
    SampleType type_;
    std::array<float, 3> mean_;
    std::array<float, 3> scale_;
    std::vector<uint8_t> results_;  // 256 of each channel, of the type
};

}  // namespace larod::device::proc
