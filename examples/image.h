// SPDX-License-Identifier: Apache-2.0
// A picture in memory, and what is drawn into it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace example {

struct Color {
    uint8_t red, green, blue;
};

struct Image {
    int width = 0;
    int height = 0;
    std::vector<uint8_t> rgb;  // 3 bytes a pixel, row after row, no padding

    Image() = default;
    Image(int w, int h) : width(w), height(h), rgb(size_t{3} * static_cast<size_t>(w) * static_cast<size_t>(h)) {}

    [[nodiscard]] uint8_t* pixel(int x, int y) {
        return &rgb[3 * (static_cast<size_t>(y) * static_cast<size_t>(width) + static_cast<size_t>(x))];
    }
    [[nodiscard]] const uint8_t* pixel(int x, int y) const {
        return &rgb[3 * (static_cast<size_t>(y) * static_cast<size_t>(width) + static_cast<size_t>(x))];
    }
};

// All drawing is cut off at the border of the picture.
void fillRectangle(Image& image, int left, int top, int width, int height, Color color);
void drawFrame(Image& image, int left, int top, int width, int height, int thickness, Color color);

}  // namespace example
