// SPDX-License-Identifier: Apache-2.0
// A conversion, and the ways to do it that are compared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace larod::bench {

enum class Pixels : uint8_t { Nv12, RgbInterleaved, RgbPlanar };

[[nodiscard]] inline const char* nameOf(Pixels pixels) {
    return pixels == Pixels::Nv12 ? "nv12" : pixels == Pixels::RgbInterleaved ? "rgb-interleaved" : "rgb-planar";
}

// Without padding.
struct Image {
    Pixels pixels = Pixels::Nv12;
    size_t width = 0;
    size_t height = 0;
    [[nodiscard]] size_t bytes() const { return pixels == Pixels::Nv12 ? width * height * 3 / 2 : width * height * 3; }
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
