// SPDX-License-Identifier: Apache-2.0
#include "device/image/proc_params.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.h"
#include "base/log.h"

namespace larod::device::proc {

namespace {

constexpr int kCode = LAROD_ERROR_LOAD_MODEL;
constexpr std::string_view kCropKey = "image.input.crop";
constexpr float kLargestFloat16 = 65'504;
constexpr size_t kMultiple = 2;  // of width, height and row pitch (preprocessing.md 7)

constexpr std::string_view kKnownKeys[] = {
    "image.input.colorimetry", "image.input.crop",    "image.input.format",  "image.input.row-pitch",
    "image.input.size",        "image.output.filter", "image.output.format", "image.output.mean",
    "image.output.row-pitch",  "image.output.scale",  "image.output.size",   "image.output.type",
};

void refuseUnknownKeys(const ParamMap& params) {
    for (const auto& [key, value] : params.entries()) {
        if (std::find(std::begin(kKnownKeys), std::end(kKnownKeys), key) != std::end(kKnownKeys)) {
            continue;
        }
        if (key.starts_with("image.")) {
            throw Error(kCode, "unknown load parameter '{}': expected one of {}", key, fmt::join(kKnownKeys, ", "));
        }
        log::info("load parameter '{}' of a conversion is unknown and ignored", key);
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

size_t parseExtent(std::string_view key, std::string_view what, size_t multiple, int64_t given) {
    if (given < 1 || given > static_cast<int64_t>(kMaxExtent) || given % static_cast<int64_t>(multiple) != 0) {
        throw Error(kCode, "load parameter '{}': expected {} as a multiple of {} from {} to {}, got {}", key, what,
                    multiple, multiple, kMaxExtent, given);
    }
    return static_cast<size_t>(given);
}

// `side` is "input" or "output".
ImageSpec parseImage(const ParamMap& params, std::string_view side, SampleType type, bool oddSizes) {
    ImageSpec image;
    image.type = type;
    const std::string formatKey = fmt::format("image.{}.format", side);
    image.format = formatByName(formatKey, require<std::string>(params, formatKey), side == "output");
    const size_t sizeMultiple = oddSizes && describe(image.format).model != ColourModel::Yuv ? 1 : kMultiple;
    const std::string sizeKey = fmt::format("image.{}.size", side);
    const auto& size = require<std::array<int64_t, 2>>(params, sizeKey);
    image.width = parseExtent(sizeKey, "a width", sizeMultiple, size[0]);
    image.height = parseExtent(sizeKey, "a height", sizeMultiple, size[1]);

    const size_t unpadded = unpaddedRow(image.format, type, image.width);
    const size_t multiple = std::max(bytesOf(type), sizeMultiple);
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

// What the string of `key` names in `table`; the first entry where the key is absent.
template <typename T, size_t N>
T parseName(const ParamMap& params, std::string_view key, const std::pair<std::string_view, T> (&table)[N]) {
    const auto* name = params.get<std::string>(key, kCode);
    if (name == nullptr) {
        return table[0].second;
    }
    std::vector<std::string_view> names;
    for (const auto& [known, value] : table) {
        if (known == *name) {
            return value;
        }
        names.push_back(known);
    }
    throw Error(kCode, "load parameter '{}': expected one of {}, got '{}'", key, fmt::join(names, ", "), *name);
}

constexpr std::pair<std::string_view, SampleType> kTypes[] = {{"uint8", SampleType::Uint8},
                                                              {"int8", SampleType::Int8},
                                                              {"float16", SampleType::Float16},
                                                              {"float32", SampleType::Float32}};

constexpr std::pair<std::string_view, Filter> kFilters[] = {
    {"bilinear", Filter::Bilinear}, {"box", Filter::Box}, {"nearest", Filter::Nearest}};

constexpr std::pair<std::string_view, Colorimetry> kColorimetries[] = {
    {"bt601-limited", Colorimetry::Bt601Limited},   {"bt601-full", Colorimetry::Bt601Full},
    {"bt709-limited", Colorimetry::Bt709Limited},   {"bt709-full", Colorimetry::Bt709Full},
    {"bt2020-limited", Colorimetry::Bt2020Limited}, {"bt2020-full", Colorimetry::Bt2020Full}};

Colorimetry parseColorimetry(const ParamMap& params, Format input) {
    constexpr std::string_view kKey = "image.input.colorimetry";
    const Colorimetry colorimetry = parseName(params, kKey, kColorimetries);
    if (params.find(kKey) != nullptr && describe(input).model != ColourModel::Yuv) {
        throw Error(kCode, "load parameter '{}' is for inputs of luma and chroma, and 'image.input.format' is '{}'",
                    kKey, describe(input).name);
    }
    return colorimetry;
}

// One number for all channels, or three with commas; in any locale.
std::array<float, 3> parseNumberText(std::string_view key, std::string_view text) {
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

// A number for each of R, G and B, or nothing where the key is absent. Whole numbers may be integers: tools that choose
// the type of a value by its form, as larod-client does, make one of "128".
std::optional<std::array<float, 3>> parseNumbers(const ParamMap& params, std::string_view key) {
    const ParamValue* value = params.find(key);
    if (value == nullptr) {
        return std::nullopt;
    }
    if (const auto* whole = std::get_if<int64_t>(value); whole != nullptr) {
        const auto number = static_cast<float>(*whole);
        return std::array<float, 3>{number, number, number};
    }
    if (const auto* text = std::get_if<std::string>(value); text != nullptr) {
        return parseNumberText(key, *text);
    }
    throw Error(kCode, "load parameter '{}': expected a string, like '123.7,116.3,103.5', or an integer, got an {}",
                key, paramTypeName(*value));
}

void parseNormalisation(const ParamMap& params, ProcParams& result) {
    constexpr std::string_view kMeanKey = "image.output.mean";
    constexpr std::string_view kScaleKey = "image.output.scale";
    const auto mean = parseNumbers(params, kMeanKey);
    const auto scale = parseNumbers(params, kScaleKey);
    const SampleType type = result.output.type;
    if ((mean || scale) && type == SampleType::Uint8) {
        throw Error(kCode,
                    "load parameter '{}' needs 'image.output.type' set to 'int8', 'float16' or 'float32', and it is "
                    "'uint8'",
                    mean ? kMeanKey : kScaleKey);
    }
    result.mean = mean.value_or(result.mean);
    result.scale = scale.value_or(result.scale);
    const float limit = type == SampleType::Float16 ? kLargestFloat16 : std::numeric_limits<float>::max();
    for (size_t channel = 0; channel < 3; ++channel) {
        const float meanOfChannel = result.mean[channel];
        const float scaleOfChannel = result.scale[channel];
        // Written so that NaN fails, too.
        if (!std::isnormal(scaleOfChannel) || !(std::abs((0 - meanOfChannel) / scaleOfChannel) <= limit) ||
            !(std::abs((255 - meanOfChannel) / scaleOfChannel) <= limit)) {
            throw Error(kCode,
                        "load parameters '{}' and '{}': expected results of (pixel - mean) / scale up to {}, got mean "
                        "{} and scale {} for channel {}",
                        kMeanKey, kScaleKey, limit, meanOfChannel, scaleOfChannel, channel);
        }
    }
}

}  // namespace

ProcParams parseProcParams(const ParamMap& params, bool oddSizes) {
    refuseUnknownKeys(params);
    ProcParams result;
    result.input = parseImage(params, "input", SampleType::Uint8, oddSizes);
    result.output = parseImage(params, "output", parseName(params, "image.output.type", kTypes), oddSizes);
    if (result.output.type != SampleType::Uint8 && describe(result.output.format).model != ColourModel::Rgb) {
        throw Error(kCode,
                    "load parameter 'image.output.type': only 'uint8' is supported with 'image.output.format' '{}'; "
                    "others need 'rgb-interleaved' or 'rgb-planar'",
                    describe(result.output.format).name);
    }
    result.filter = parseName(params, "image.output.filter", kFilters);
    result.colorimetry = parseColorimetry(params, result.input.format);
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
