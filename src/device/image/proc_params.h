// SPDX-License-Identifier: Apache-2.0
// The load and job parameters of devices that convert images, as values (preprocessing.md 1, 5; ours:
// docs/preprocessing.md).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/param_map.h"
#include "device/image/image_spec.h"

namespace larod::device::proc {

enum class Filter : uint8_t { Bilinear, Box, Nearest };

// ITU-R BT.601, BT.709 and BT.2020 (non-constant luminance), of 8 bits: limited range has luma from 16 to 235 and
// chroma from 16 to 240, full range uses all values.
enum class Colorimetry : uint8_t { Bt601Limited, Bt601Full, Bt709Limited, Bt709Full, Bt2020Limited, Bt2020Full };

// A window of the input in pixels; inside the image, not empty.
struct Crop {
    size_t x = 0;
    size_t y = 0;
    size_t width = 0;
    size_t height = 0;
    friend bool operator==(const Crop&, const Crop&) = default;
};

struct ProcParams {
    ImageSpec input;
    ImageSpec output;
    Crop crop;  // of jobs that name none
    Filter filter = Filter::Bilinear;
    Colorimetry colorimetry = Colorimetry::Bt601Limited;  // of an input of luma and chroma
    // value = (pixel - mean) / scale of R, G, B, for types other than Uint8.
    std::array<float, 3> mean{0, 0, 0};
    std::array<float, 3> scale{1, 1, 1};
};

// `oddSizes`: rgb and gray images need not be even (ModelSource). Throws Error(LAROD_ERROR_LOAD_MODEL) naming key,
// expected and given value.
[[nodiscard]] ProcParams parseProcParams(const ParamMap& params, bool oddSizes = false);

// The window that `image.input.crop` names; nothing without the key. Throws Error(code).
[[nodiscard]] std::optional<Crop> parseCrop(const ParamMap& params, const ImageSpec& input, int code);

}  // namespace larod::device::proc
