// SPDX-License-Identifier: Apache-2.0
#include "device/image/image_format.h"

#include <fmt/ranges.h>

#include <vector>

#include "base/error.h"

namespace larod::device::proc {

namespace {

constexpr auto kNhwc = LAROD_TENSOR_LAYOUT_NHWC;
constexpr auto kNchw = LAROD_TENSOR_LAYOUT_NCHW;
constexpr auto k420sp = LAROD_TENSOR_LAYOUT_420SP;
constexpr auto kNoLayout = LAROD_TENSOR_LAYOUT_UNSPECIFIED;

constexpr PlaneFormat plane(uint8_t component, uint8_t offsetQuarters) {
    return {.offsetQuarters = offsetQuarters, .places = {{{component, 0}}}};
}

constexpr PlaneFormat chromaPlane420(uint8_t component, uint8_t offsetQuarters) {
    return {.offsetQuarters = offsetQuarters,
            .pitchDivisor = 2,
            .pixelsAcross = 2,
            .pixelsDown = 2,
            .places = {{{component, 0}}}};
}

constexpr PlaneFormat chromaPairs420(uint8_t cbByte, uint8_t crByte) {
    return {.offsetQuarters = 4,
            .pixelsAcross = 2,
            .pixelsDown = 2,
            .sampleBytes = 2,
            .componentCount = 2,
            .places = {{{1, cbByte}, {2, crByte}}}};
}

constexpr PlaneFormat packedLuma422(uint8_t byte) {
    return {.sampleBytes = 2, .places = {{{0, byte}}}};
}

constexpr PlaneFormat packedChroma422(uint8_t cbByte, uint8_t crByte) {
    return {.pixelsAcross = 2, .sampleBytes = 4, .componentCount = 2, .places = {{{1, cbByte}, {2, crByte}}}};
}

constexpr PlaneFormat packedRgb(uint8_t sampleBytes, uint8_t red, uint8_t green, uint8_t blue) {
    return {.sampleBytes = sampleBytes, .componentCount = 3, .places = {{{0, red}, {1, green}, {2, blue}}}};
}

// In the order of the enumeration.
constexpr FormatDescription kFormats[] = {
    {.name = "nv12",
     .model = ColourModel::Yuv,
     .output = true,
     .rowBytes = 1,
     .sizeQuarters = 6,
     .tensorSamples = 0,
     .layout = k420sp,
     .planeCount = 2,
     .planes = {{plane(0, 0), chromaPairs420(0, 1)}}},
    {.name = "rgb-interleaved",
     .model = ColourModel::Rgb,
     .output = true,
     .rowBytes = 3,
     .sizeQuarters = 4,
     .tensorSamples = 3,
     .layout = kNhwc,
     .planeCount = 1,
     .planes = {{packedRgb(3, 0, 1, 2)}}},
    {.name = "rgb-planar",
     .model = ColourModel::Rgb,
     .output = true,
     .rowBytes = 1,
     .sizeQuarters = 12,
     .tensorSamples = 0,
     .layout = kNchw,
     .planeCount = 3,
     .planes = {{plane(0, 0), plane(1, 4), plane(2, 8)}}},
    {.name = "nv21",
     .model = ColourModel::Yuv,
     .rowBytes = 1,
     .sizeQuarters = 6,
     .tensorSamples = 0,
     .layout = k420sp,
     .planeCount = 2,
     .planes = {{plane(0, 0), chromaPairs420(1, 0)}}},
    {.name = "i420",
     .model = ColourModel::Yuv,
     .rowBytes = 1,
     .sizeQuarters = 6,
     .tensorSamples = 0,
     .layout = kNoLayout,
     .planeCount = 3,
     .planes = {{plane(0, 0), chromaPlane420(1, 4), chromaPlane420(2, 5)}}},
    {.name = "yuyv",
     .model = ColourModel::Yuv,
     .rowBytes = 2,
     .sizeQuarters = 4,
     .tensorSamples = 2,
     .layout = kNhwc,
     .planeCount = 2,
     .planes = {{packedLuma422(0), packedChroma422(1, 3)}}},
    {.name = "uyvy",
     .model = ColourModel::Yuv,
     .rowBytes = 2,
     .sizeQuarters = 4,
     .tensorSamples = 2,
     .layout = kNhwc,
     .planeCount = 2,
     .planes = {{packedLuma422(1), packedChroma422(0, 2)}}},
    {.name = "gray",
     .model = ColourModel::Gray,
     .rowBytes = 1,
     .sizeQuarters = 4,
     .tensorSamples = 1,
     .layout = kNhwc,
     .planeCount = 1,
     .planes = {{plane(0, 0)}}},
    {.name = "bgr-interleaved",
     .model = ColourModel::Rgb,
     .rowBytes = 3,
     .sizeQuarters = 4,
     .tensorSamples = 3,
     .layout = kNhwc,
     .planeCount = 1,
     .planes = {{packedRgb(3, 2, 1, 0)}}},
    {.name = "rgba-interleaved",
     .model = ColourModel::Rgb,
     .rowBytes = 4,
     .sizeQuarters = 4,
     .tensorSamples = 4,
     .layout = kNhwc,
     .planeCount = 1,
     .planes = {{packedRgb(4, 0, 1, 2)}}},
};

}  // namespace

const FormatDescription& describe(Format format) noexcept {
    return kFormats[static_cast<size_t>(format)];
}

Format formatByName(std::string_view key, std::string_view name, bool output) {
    std::vector<std::string_view> names;
    for (size_t i = 0; i < std::size(kFormats); ++i) {
        if (output && !kFormats[i].output) {
            continue;
        }
        if (kFormats[i].name == name) {
            return static_cast<Format>(i);
        }
        names.push_back(kFormats[i].name);
    }
    throw Error(LAROD_ERROR_LOAD_MODEL, "load parameter '{}': expected one of {}, got '{}'", key,
                fmt::join(names, ", "), name);
}

}  // namespace larod::device::proc
