// SPDX-License-Identifier: Apache-2.0
// A conversion, and the ways to do it that are compared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "device/image/image_format.h"
#include "device/image/image_spec.h"

namespace larod::bench {

using device::proc::ColourModel;
using device::proc::Format;

// Without padding.
struct Image {
    Format format = Format::Nv12;
    size_t width = 0;
    size_t height = 0;
    [[nodiscard]] size_t rowBytes() const { return unpaddedRow(format, device::proc::SampleType::Uint8, width); }
    [[nodiscard]] size_t bytes() const { return rowBytes() * height * describe(format).sizeQuarters / 4; }
    [[nodiscard]] size_t pixels() const { return width * height; }
    [[nodiscard]] bool isYuv() const { return describe(format).model == ColourModel::Yuv; }
    [[nodiscard]] bool sameSize(const Image& other) const { return width == other.width && height == other.height; }
};

// The whole input image becomes the whole output image; bilinear where it is scaled.
struct Conversion {
    Image from;
    Image to;
};

// One library's best way. `run` reads from.bytes() bytes and writes to.bytes(). One thread.
struct Route {
    std::string name;
    std::function<void(const uint8_t* input, uint8_t* output)> run;
};

using MakeRoute = std::optional<Route> (*)(const Conversion&);

[[nodiscard]] std::optional<Route> openlarodRoute(const Conversion& conversion);
// Planes scaled, chroma to full size, then converted: what is right, with libyuv's functions.
[[nodiscard]] std::optional<Route> libyuvRoute(const Conversion& conversion);
// Planes scaled, then converted; nothing where the program is built without the library.
[[nodiscard]] std::optional<Route> opencvRoute(const Conversion& conversion);
// What applications usually write: converted to RGB at full size, then scaled.
[[nodiscard]] std::optional<Route> usualRoute(const Conversion& conversion);
[[nodiscard]] std::optional<Route> swscaleRoute(const Conversion& conversion);

}  // namespace larod::bench
