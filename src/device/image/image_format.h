// SPDX-License-Identifier: Apache-2.0
// The pixel formats, each as a row of one table: everything else follows from these descriptions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "larod.h"

namespace larod::device::proc {

enum class Format : uint8_t {
    Nv12,
    RgbInterleaved,
    RgbPlanar,
    // Further ones, of the input only.
    Nv21,
    I420,
    Yuyv,
    Uyvy,
    Gray,
    BgrInterleaved,
    RgbaInterleaved,
};

// What the components 0, 1 and 2 of a format are: Y Cb Cr, R G B, or one that is R, G and B at once.
enum class ColourModel : uint8_t { Yuv, Rgb, Gray };

// A component in the samples of a plane.
struct ComponentPlace {
    uint8_t component = 0;
    uint8_t byte = 0;
};

// Samples at equal distances, one for each group of pixels. Planes may share memory: luma and chroma of yuyv do.
struct PlaneFormat {
    uint8_t offsetQuarters = 0;  // where it starts, in quarters of row pitch * height
    uint8_t pitchDivisor = 1;    // its rows are the image's row pitch divided by this apart
    uint8_t pixelsAcross = 1;    // of a sample: 1 or 2
    uint8_t pixelsDown = 1;
    uint8_t sampleBytes = 1;  // from one sample to the next
    uint8_t componentCount = 1;
    std::array<ComponentPlace, 3> places{};
};

struct FormatDescription {
    std::string_view name;
    ColourModel model = ColourModel::Yuv;
    bool output = false;        // whether images can be written in it
    uint8_t rowBytes = 1;       // of the image's first plane, for each pixel
    uint8_t sizeQuarters = 4;   // of the image, in quarters of row pitch * height
    uint8_t tensorSamples = 0;  // the last dimension of an NHWC tensor; 0 where the tensor is not NHWC
    larodTensorLayout layout = LAROD_TENSOR_LAYOUT_NHWC;
    uint8_t planeCount = 1;
    std::array<PlaneFormat, 3> planes{};
};

[[nodiscard]] const FormatDescription& describe(Format format) noexcept;

// The format of that name, exact and case sensitive; throws Error(LAROD_ERROR_LOAD_MODEL) that names `key` and the
// formats that there are. `output`: only one that images can be written in.
[[nodiscard]] Format formatByName(std::string_view key, std::string_view name, bool output);

}  // namespace larod::device::proc
