// SPDX-License-Identifier: Apache-2.0
// A picture as a camera delivers it: an NV12 frame. Here the frame is square, with the picture in the middle of black
// borders, because the network wants a square and shapes that it knows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "image.h"

namespace example {

struct FrameGeometry {
    int side = 0;  // of the frame, even
    int left = 0;  // where the picture stands in the frame, even
    int top = 0;
};

[[nodiscard]] FrameGeometry frameAround(const Image& image);

// Fills `frame`, which has `rowPitch` bytes a row and side * 3 / 2 rows.
void writeNv12(const Image& image, const FrameGeometry& geometry, std::span<uint8_t> frame, size_t rowPitch);

}  // namespace example
