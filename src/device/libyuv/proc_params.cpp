// SPDX-License-Identifier: Apache-2.0
#include "device/libyuv/proc_params.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/log.h"

namespace larod::device::proc {

namespace {

constexpr int kCode = LAROD_ERROR_LOAD_MODEL;
constexpr std::string_view kCropKey = "image.input.crop";
constexpr size_t kMultiple = 2;  // of width, height and row pitch (preprocessing.md 7)

constexpr std::string_view kKnownKeys[] = {
    "image.input.crop",    "image.input.format",  "image.input.row-pitch", "image.input.size",
    "image.output.filter", "image.output.format", "image.output.mean",     "image.output.row-pitch",
    "image.output.scale",  "image.output.size",   "image.output.type",
};

void refuseUnknownKeys(const ParamMap& params) {
    for (const auto& [key, value] : params.entries()) {
        if (std::find(std::begin(kKnownKeys), std::end(kKnownKeys), key) != std::end(kKnownKeys)) {
            continue;
        }
        if (key.starts_with("image.")) {
            throw Error(kCode, "unknown load parameter '{}': cpu-proc has {}", key, fmt::join(kKnownKeys, ", "));
        }
        spdlog::info("cpu-proc: load parameter '{}' is unknown and ignored", key);
    }
}

template <typename T>
const T& require(const ParamMap& params, std::string_view key) {
    const T* value = params.get<T>(key, kCode);
    if (value == nullptr) {
        throw Error(kCode, "load parameter '{}' is missing: expected one of type {}", key,
                    paramTypeName(ParamValue(T{})));
    }
    return *value;
}

Format parseFormat(const ParamMap& params, std::string_view key) {
    const auto& name = require<std::string>(params, key);
    const auto format = formatByName(name);
    if (!format) {
        throw Error(kCode, "load parameter '{}': expected 'nv12', 'rgb-interleaved' or 'rgb-planar', got '{}'", key,
                    name);
    }
    return *format;
}

size_t parseExtent(std::string_view key, std::string_view what, int64_t given) {
    if (given < 1 || given > static_cast<int64_t>(kMaxExtent) || given % static_cast<int64_t>(kMultiple) != 0) {
        throw Error(kCode, "load parameter '{}': expected {} as a multiple of {} from {} to {}, got {}", key, what,
                    kMultiple, kMultiple, kMaxExtent, given);
    }
    return static_cast<size_t>(given);
}

// `side` is "input" or "output".
ImageSpec parseImage(const ParamMap& params, std::string_view side, SampleType type) {
    ImageSpec image;
    image.type = type;
    image.format = parseFormat(params, fmt::format("image.{}.format", side));
    const std::string sizeKey = fmt::format("image.{}.size", side);
    const auto& size = require<std::array<int64_t, 2>>(params, sizeKey);
    image.width = parseExtent(sizeKey, "a width", size[0]);
    image.height = parseExtent(sizeKey, "a height", size[1]);

    const size_t unpadded = unpaddedRow(image.format, type, image.width);
    const size_t multiple = type == SampleType::Float32 ? sizeof(float) : kMultiple;
    image.pitch = unpadded;
    const std::string pitchKey = fmt::format("image.{}.row-pitch", side);
    if (const auto* pitch = params.get<int64_t>(pitchKey, kCode); pitch != nullptr) {
        if (*pitch < static_cast<int64_t>(unpadded) || *pitch > static_cast<int64_t>(kMaxRowPitch) ||
            *pitch % static_cast<int64_t>(multiple) != 0) {
            throw Error(kCode,
                        "load parameter '{}': expected bytes as a multiple of {} from {} (a row without padding) to "
                        "{}, got {}",
                        pitchKey, multiple, unpadded, kMaxRowPitch, *pitch);
        }
        image.pitch = static_cast<size_t>(*pitch);
    }
    return image;
}

SampleType parseType(const ParamMap& params) {
    constexpr std::string_view kKey = "image.output.type";
    const auto* name = params.get<std::string>(kKey, kCode);
    if (name == nullptr || *name == "uint8") {
        return SampleType::Uint8;
    }
    if (*name != "float32") {
        throw Error(kCode, "load parameter '{}': expected 'uint8' or 'float32', got '{}'", kKey, *name);
    }
    return SampleType::Float32;
}

Filter parseFilter(const ParamMap& params) {
    constexpr std::string_view kKey = "image.output.filter";
    const auto* name = params.get<std::string>(kKey, kCode);
    if (name == nullptr || *name == "bilinear") {
        return Filter::Bilinear;
    }
    if (*name == "box") {
        return Filter::Box;
    }
    if (*name == "nearest") {
        return Filter::Nearest;
    }
    throw Error(kCode, "load parameter '{}': expected 'bilinear', 'box' or 'nearest', got '{}'", kKey, *name);
}

// One number for all channels, or three with commas; in any locale.
std::array<float, 3> parseNumbers(std::string_view key, std::string_view text) {
    std::array<float, 3> numbers{};
    size_t count = 0;
    const char* at = text.data();
    const char* const end = text.data() + text.size();
    for (;;) {
        const auto [rest, error] = std::from_chars(at, end, numbers[count]);
        if (error != std::errc{} || !std::isfinite(numbers[count])) {
            break;
        }
        ++count;
        if (rest == end && count == 1) {
            return {numbers[0], numbers[0], numbers[0]};
        }
        if (rest == end && count == 3) {
            return numbers;
        }
        if (rest == end || *rest != ',' || count == 3) {
            break;
        }
        at = rest + 1;
    }
    throw Error(kCode,
                "load parameter '{}': expected one number or three with commas, like '127.5' or "
                "'123.7,116.3,103.5', got '{}'",
                key, text);
}

void parseNormalisation(const ParamMap& params, ProcParams& result) {
    constexpr std::string_view kMeanKey = "image.output.mean";
    constexpr std::string_view kScaleKey = "image.output.scale";
    const auto* mean = params.get<std::string>(kMeanKey, kCode);
    const auto* scale = params.get<std::string>(kScaleKey, kCode);
    if ((mean != nullptr || scale != nullptr) && result.output.type != SampleType::Float32) {
        throw Error(kCode, "load parameter '{}' needs 'image.output.type' set to 'float32', and it is 'uint8'",
                    mean != nullptr ? kMeanKey : kScaleKey);
    }
    if (mean != nullptr) {
        result.mean = parseNumbers(kMeanKey, *mean);
    }
    if (scale != nullptr) {
        result.scale = parseNumbers(kScaleKey, *scale);
    }
    for (size_t channel = 0; channel < 3; ++channel) {
        const float scaleOfChannel = result.scale[channel];
        if (!std::isnormal(scaleOfChannel) || !std::isfinite((0 - result.mean[channel]) / scaleOfChannel) ||
            !std::isfinite((255 - result.mean[channel]) / scaleOfChannel)) {
            throw Error(kCode,
                        "load parameters '{}' and '{}': expected finite results of (pixel - mean) / scale, got mean {} "
                        "and scale {} for channel {}",
                        kMeanKey, kScaleKey, result.mean[channel], scaleOfChannel, channel);
        }
    }
}

}  // namespace

ProcParams parseProcParams(const ParamMap& params) {
    refuseUnknownKeys(params);
    ProcParams result;
    result.input = parseImage(params, "input", SampleType::Uint8);
    result.output = parseImage(params, "output", parseType(params));
    if (result.output.type == SampleType::Float32 && result.output.format != Format::RgbInterleaved) {
        throw Error(kCode,
                    "load parameter 'image.output.type': 'float32' is supported with 'image.output.format' "
                    "'rgb-interleaved' only, and that is '{}'",
                    formatName(result.output.format));
    }
    result.filter = parseFilter(params);
    parseNormalisation(params, result);
    result.crop = parseCrop(params, result.input, kCode).value_or(Crop{0, 0, result.input.width, result.input.height});
    return result;
}

std::optional<Crop> parseCrop(const ParamMap& params, const ImageSpec& input, int code) {
    const auto* given = params.get<std::array<int64_t, 4>>(kCropKey, code);
    if (given == nullptr) {
        return std::nullopt;
    }
    const auto& [x, y, width, height] = *given;
    const auto imageWidth = static_cast<int64_t>(input.width);
    const auto imageHeight = static_cast<int64_t>(input.height);
    // Each is bounded before they are subtracted: nothing wraps.
    if (x < 0 || y < 0 || width < 1 || height < 1 || width > imageWidth || height > imageHeight ||
        x > imageWidth - width || y > imageHeight - height) {
        throw Error(code,
                    "parameter '{}': expected x, y, width, height of a window inside the {}x{} image, got "
                    "({}, {}, {}, {})",
                    kCropKey, imageWidth, imageHeight, x, y, width, height);
    }
    return Crop{static_cast<size_t>(x), static_cast<size_t>(y), static_cast<size_t>(width),
                static_cast<size_t>(height)};
}

}  // namespace larod::device::proc
