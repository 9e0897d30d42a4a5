// SPDX-License-Identifier: Apache-2.0
extern "C" {
#include <libswscale/swscale.h>
}

#include <array>
#include <memory>

#include "preprocessing/route.h"

namespace larod::bench {

namespace {

AVPixelFormat format(Pixels pixels) {
    return pixels == Pixels::Nv12             ? AV_PIX_FMT_NV12
           : pixels == Pixels::RgbInterleaved ? AV_PIX_FMT_RGB24
                                              : AV_PIX_FMT_GBRP;
}

struct Planes {
    std::array<uint8_t*, 4> data{};
    std::array<int, 4> pitches{};
};

Planes planesOf(const Image& image, uint8_t* data) {
    const auto width = static_cast<int>(image.width);
    const size_t plane = image.width * image.height;
    switch (image.pixels) {
        case Pixels::Nv12:
            return {{data, data + plane}, {width, width}};
        case Pixels::RgbInterleaved:
            return {{data}, {3 * width}};
        case Pixels::RgbPlanar:
            break;
    }
    return {{data + plane, data + 2 * plane, data}, {width, width, width}};
}

}  // namespace

std::optional<Route> swscaleRoute(const Conversion& conversion) {
    const auto& [from, to] = conversion;
    // Its SWS_BILINEAR averages over more pixels where it reduces: another picture. This is the one of two neighbours.
    const std::shared_ptr<SwsContext> context(
        sws_getContext(static_cast<int>(from.width), static_cast<int>(from.height), format(from.pixels),
                       static_cast<int>(to.width), static_cast<int>(to.height), format(to.pixels), SWS_FAST_BILINEAR,
                       nullptr, nullptr, nullptr),
        sws_freeContext);
    if (!context) {
        return std::nullopt;
    }
    return Route{"swscale", [=](const uint8_t* input, uint8_t* output) {
                     const Planes source = planesOf(from, const_cast<uint8_t*>(input));
                     const Planes target = planesOf(to, output);
                     sws_scale(context.get(), source.data.data(), source.pitches.data(), 0,
                               static_cast<int>(from.height), target.data.data(), target.pitches.data());
                 }};
}

}  // namespace larod::bench
