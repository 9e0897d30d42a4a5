// SPDX-License-Identifier: Apache-2.0
// A picture in memory, and what is drawn into it.
#include "image.h"

#include <algorithm>

namespace example {

void fillRectangle(Image& image, int left, int top, int width, int height, Color color) {
    const int right = std::min(left + width, image.width);
    const int bottom = std::min(top + height, image.height);
    for (int y = std::max(top, 0); y < bottom; ++y) {
        for (int x = std::max(left, 0); x < right; ++x) {
            uint8_t* pixel = image.pixel(x, y);
            pixel[0] = color.red;
            pixel[1] = color.green;
            pixel[2] = color.blue;
        }
    }
}

void drawFrame(Image& image, int left, int top, int width, int height, int thickness, Color color) {
    fillRectangle(image, left, top, width, thickness, color);
    fillRectangle(image, left, top + height - thickness, width, thickness, color);
    fillRectangle(image, left, top, thickness, height, color);
    fillRectangle(image, left + width - thickness, top, thickness, height, color);
}

}  // namespace example
