// SPDX-License-Identifier: Apache-2.0
// How a camera was held: phones store pictures as the sensor saw them, with a note how to turn them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "image.h"

namespace example {

// The orientation, 1 to 8, that the contents of a JPEG's APP1 marker tell; 1, upright, if they tell none.
[[nodiscard]] int exifOrientation(std::span<const uint8_t> app1);

// The picture as a person sees it.
[[nodiscard]] Image turnUpright(Image image, int orientation);

}  // namespace example
