// SPDX-License-Identifier: Apache-2.0
extern "C" {
#include <libswscale/swscale.h>
}

#include <array>
#include <memory>

#include "preprocessing/route.h"

namespace larod::bench {

namespace {

AVPixelFormat pixelFormat(Format format) {
    switch (format) {
        case Format::Nv12:
            return AV_PIX_FMT_NV12;
        case Format::Nv21:
            return AV_PIX_FMT_NV21;
        case Format::I420:
            return AV_PIX_FMT_YUV420P;
        case Format::Yuyv:
            return AV_PIX_FMT_YUYV422;
        case Format::Uyvy:
            return AV_PIX_FMT_UYVY422;
        case Format::Gray:
            return AV_PIX_FMT_GRAY8;
        case Format::RgbInterleaved:
            return AV_PIX_FMT_RGB24;
        case Format::BgrInterleaved:
            return AV_PIX_FMT_BGR24;
        case Format::RgbaInterleaved:
            return AV_PIX_FMT_RGB0;  // its fourth byte is not used
        case Format::RgbPlanar:
            break;
    }
    return AV_PIX_FMT_GBRP;
}

struct Planes {
    std::array<uint8_t*, 4> data{};
    std::array<int, 4> pitches{};
};

Planes planesOf(const Image& image, uint8_t* data) {
    const auto pitch = static_cast<int>(image.rowBytes());
    const size_t plane = image.pixels();
    switch (image.format) {
        case Format::Nv12:
        case Format::Nv21:
            return {{data, data + plane}, {pitch, pitch}};
        case Format::I420:
            return {{data, data + plane, data + plane * 5 / 4}, {pitch, pitch / 2, pitch / 2}};
        case Format::RgbPlanar:
            return {{data + plane, data + 2 * plane, data}, {pitch, pitch, pitch}};
        default:
            return {{data}, {pitch}};
    }
}

}  // namespace

std::optional<Route> swscaleRoute(const Conversion& conversion) {
    const auto& [from, to] = conversion;
    // Its SWS_BILINEAR averages over more pixels where it reduces: another picture. This is the one of two neighbours.
    const std::shared_ptr<SwsContext> context(
        sws_getContext(static_cast<int>(from.width), static_cast<int>(from.height), pixelFormat(from.format),
                       static_cast<int>(to.width), static_cast<int>(to.height), pixelFormat(to.format),
                       SWS_FAST_BILINEAR, nullptr, nullptr, nullptr),
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
