// SPDX-License-Identifier: Apache-2.0
#include "device/image_limits.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>
#include <optional>
#include <vector>

#include "base/checked.h"
#include "base/error.h"

namespace larod::device {
namespace {

constexpr int kCode = LAROD_ERROR_LOAD_MODEL;
constexpr std::string_view kCropKey = "image.input.crop";
constexpr std::string_view kNv12 = "nv12";
constexpr std::string_view kRgbInterleaved = "rgb-interleaved";
constexpr std::string_view kRgbPlanar = "rgb-planar";

// What products document, and a default crop; the target may have more.
constexpr std::string_view kKeys[] = {
    "image.input.crop",    "image.input.format",     "image.input.row-pitch", "image.input.size",
    "image.output.format", "image.output.row-pitch", "image.output.size",
};

std::string keyOf(std::string_view side, std::string_view what) {
    return fmt::format("image.{}.{}", side, what);
}

// Bytes of a row of one of the formats of preprocessing.md 3.
int64_t unpaddedRow(std::string_view format, int64_t width) noexcept {
    return format == kRgbInterleaved ? 3 * width : width;
}

// Nothing where the description is not valid, which is the target's to say, and for formats that no product has.
std::optional<int64_t> inferredPitch(std::string_view side, const ParamMap& params, const ImageSideLimits& limits) {
    const ParamValue* format = params.find(keyOf(side, "format"));
    const ParamValue* size = params.find(keyOf(side, "size"));
    const auto* name = format == nullptr ? nullptr : std::get_if<std::string>(format);
    const auto* extent = size == nullptr ? nullptr : std::get_if<std::array<int64_t, 2>>(size);
    constexpr int64_t kSaneWidth = int64_t{1} << 31;
    if (name == nullptr || (*name != kNv12 && *name != kRgbInterleaved && *name != kRgbPlanar) || extent == nullptr ||
        extent->front() < 1 || extent->front() > kSaneWidth) {
        return std::nullopt;
    }
    const auto row = static_cast<uint64_t>(unpaddedRow(*name, extent->front()));
    return static_cast<int64_t>(*checkedRoundUp(row, static_cast<uint64_t>(limits.pitchMultiple)));
}

// A parameter of a valid description that is not optional.
template <typename T>
const T& valueOf(const ParamMap& params, std::string_view key) {
    const T* value = params.get<T>(key, kCode);
    if (value == nullptr) {
        throw Error(kCode, "load parameter '{}' is missing", key);
    }
    return *value;
}

void checkSide(std::string_view device, std::string_view side, const ParamMap& params, const ImageSideLimits& limits) {
    const std::string sizeKey = keyOf(side, "size");
    const std::string pitchKey = keyOf(side, "row-pitch");
    const auto& format = valueOf<std::string>(params, keyOf(side, "format"));
    const auto& [width, height] = valueOf<std::array<int64_t, 2>>(params, sizeKey);
    const int64_t row = unpaddedRow(format, width);
    const auto* given = params.get<int64_t>(pitchKey, kCode);
    const int64_t pitch = given == nullptr ? row : *given;

    const int64_t multiple = format == kNv12 ? limits.nv12Multiple : 1;
    if (width % limits.widthMultiple != 0 || width % multiple != 0) {
        throw Error(kCode, "load parameter '{}': {} needs a width that is a multiple of {}, got {}", sizeKey, device,
                    std::lcm(limits.widthMultiple, multiple), width);
    }
    if (height % multiple != 0) {
        throw Error(kCode, "load parameter '{}': {} needs a height that is a multiple of {}, got {}", sizeKey, device,
                    multiple, height);
    }
    if (height < limits.minHeight) {
        throw Error(kCode, "load parameter '{}': {} needs a height of at least {}, got {}", sizeKey, device,
                    limits.minHeight, height);
    }
    if (width > limits.maxPixels / height) {
        throw Error(kCode, "load parameter '{}': {} takes images of at most {} pixels, got {}x{}", sizeKey, device,
                    limits.maxPixels, width, height);
    }
    if (!limits.padding && pitch != row) {
        throw Error(kCode, "load parameter '{}': {} takes rows without padding only, here of {} bytes, got {}",
                    pitchKey, device, row, pitch);
    }
    if (pitch % limits.pitchMultiple != 0) {
        throw Error(kCode, "load parameter '{}': {} needs a row pitch that is a multiple of {} bytes, got {}", pitchKey,
                    device, limits.pitchMultiple, pitch);
    }
}

// Whether large > factor * small, of sizes from 1.
bool exceeds(int64_t large, int64_t small, int64_t factor) noexcept {
    return (large - 1) / small >= factor;
}

void checkConversion(std::string_view device, const ParamMap& params, std::span<const Conversion> conversions) {
    const auto& input = valueOf<std::string>(params, keyOf("input", "format"));
    const auto& output = valueOf<std::string>(params, keyOf("output", "format"));
    const bool possible = std::ranges::any_of(conversions, [&](const Conversion& conversion) {
        return conversion.input == input && conversion.output == output;
    });
    if (!possible) {
        std::vector<std::string> texts;
        for (const Conversion& conversion : conversions) {
            texts.push_back(fmt::format("{} to {}", conversion.input, conversion.output));
        }
        throw Error(kCode, "load parameters 'image.input.format' and 'image.output.format': {} has {}, not {} to {}",
                    device, fmt::join(texts, ", "), input, output);
    }
}

}  // namespace

ParamMap completeImageParams(std::string_view device, const ParamMap& params, const ImageLimits& limits) {
    for (const auto& [key, value] : params.entries()) {
        if (key.starts_with("image.") && std::ranges::count(kKeys, key) == 0) {
            throw Error(kCode, "unknown load parameter '{}': {} has {}", key, device, fmt::join(kKeys, ", "));
        }
    }
    ParamMap complete = params;
    for (const auto& [side, sideLimits] :
         {std::pair(std::string_view("input"), &limits.input), std::pair(std::string_view("output"), &limits.output)}) {
        const std::string key = keyOf(side, "row-pitch");
        const auto pitch = inferredPitch(side, params, *sideLimits);
        if (pitch && params.find(key) == nullptr) {
            complete.set(key, *pitch);
        }
    }
    return complete;
}

LimitedImages::LimitedImages(std::string_view device, const ParamMap& params, const ImageLimits& limits)
    : device_(device),
      cropAndScale_(limits.cropAndScale),
      maxScaleFactor_(limits.maxScaleFactor),
      input_(valueOf<Size>(params, "image.input.size")),
      output_(valueOf<Size>(params, "image.output.size")) {
    checkConversion(device, params, limits.conversions);
    checkSide(device, "input", params, limits.input);
    checkSide(device, "output", params, limits.output);
    if (!cropAndScale_ && input_ != output_) {
        throw Error(kCode,
                    "load parameter 'image.output.size': {} does not scale: expected the input's {}x{}, got {}x{}",
                    device_, input_[0], input_[1], output_[0], output_[1]);
    }
    const auto* crop = params.get<Window>(kCropKey, kCode);
    checkWindow(crop == nullptr ? Window{0, 0, input_[0], input_[1]} : *crop, kCode);
}

void LimitedImages::checkJob(const ParamMap& params) const {
    if (const auto* crop = params.get<Window>(kCropKey, LAROD_ERROR_JOB); crop != nullptr) {
        checkWindow(*crop, LAROD_ERROR_JOB);
    }
}

void LimitedImages::checkWindow(const Window& window, int code) const {
    const auto& [x, y, width, height] = window;
    if (!cropAndScale_ && window != Window{0, 0, input_[0], input_[1]}) {
        throw Error(code, "parameter '{}': {} does not crop: only (0, 0, {}, {}) is possible, got ({}, {}, {}, {})",
                    kCropKey, device_, input_[0], input_[1], x, y, width, height);
    }
    for (const auto& [what, from, to] :
         {std::tuple("width", width, output_[0]), std::tuple("height", height, output_[1])}) {
        if (exceeds(from, to, maxScaleFactor_) || exceeds(to, from, maxScaleFactor_)) {
            throw Error(code, "{} scales by a factor of at most {} in each direction, got a {} of {} to {}", device_,
                        maxScaleFactor_, what, from, to);
        }
    }
}

}  // namespace larod::device
