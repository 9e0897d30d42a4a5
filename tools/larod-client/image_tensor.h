// SPDX-License-Identifier: Apache-2.0
// A tensor as an image, in the words of the parameters of devices that convert images.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "larod-client/parameter.h"
#include "larod.h"

namespace larod::tools {

struct ImageTensor {
    std::string format;  // rgb-interleaved, rgb-planar or nv12
    size_t width = 0;
    size_t height = 0;
    size_t rowPitch = 0;  // in bytes; 0: a row without padding
    std::string type;     // uint8, int8, float16 or float32

    // "image.output.format" and so on, for `side` "output".
    [[nodiscard]] std::vector<Parameter> parameters(const std::string& side) const;
    // "300x200 rgb-interleaved, uint8".
    [[nodiscard]] std::string text() const;
};

// By layout, shape and type; nothing where the tensor is no image of three channels in one of these formats.
[[nodiscard]] std::optional<ImageTensor> imageTensor(const larodTensor* tensor);

}  // namespace larod::tools
