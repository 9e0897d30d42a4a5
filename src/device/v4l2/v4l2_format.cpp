// SPDX-License-Identifier: Apache-2.0
#include "device/v4l2/v4l2_format.h"

#include <cctype>
#include <limits>

#include "base/error.h"

namespace larod::device::v4l2 {
namespace {

using proc::Format;

struct KnownFormat {
    Format format;
    uint32_t fourcc;
};

constexpr KnownFormat kFormats[] = {
    {Format::Nv12, V4L2_PIX_FMT_NV12},
    {Format::RgbInterleaved, V4L2_PIX_FMT_RGB24},
    {Format::Nv21, V4L2_PIX_FMT_NV21},
    {Format::I420, V4L2_PIX_FMT_YUV420},
    {Format::Yuyv, V4L2_PIX_FMT_YUYV},
    {Format::Uyvy, V4L2_PIX_FMT_UYVY},
    {Format::BgrInterleaved, V4L2_PIX_FMT_BGR24},
    {Format::RgbaInterleaved, V4L2_PIX_FMT_RGBX32},
};

}  // namespace

std::optional<uint32_t> fourccOf(Format format) noexcept {
    for (const KnownFormat& known : kFormats) {
        if (known.format == format) {
            return known.fourcc;
        }
    }
    return std::nullopt;
}

std::string fourccText(uint32_t fourcc) {
    std::string text;
    for (unsigned shift = 0; shift < 32; shift += 8) {
        const auto letter = static_cast<unsigned char>(fourcc >> shift & 0x7FU);
        text += std::isprint(letter) != 0 ? static_cast<char>(letter) : '?';
    }
    return text.substr(0, text.find_last_not_of(' ') + 1);
}

std::optional<std::string> larodName(uint32_t fourcc, bool output) {
    for (const KnownFormat& known : kFormats) {
        if (known.fourcc == fourcc && (!output || proc::describe(known.format).output)) {
            return std::string(proc::describe(known.format).name);
        }
    }
    return std::nullopt;
}

Colours coloursOf(Format format, proc::Colorimetry colorimetry) noexcept {
    using proc::Colorimetry;
    if (proc::describe(format).model != proc::ColourModel::Yuv) {
        return {V4L2_COLORSPACE_SMPTE170M, V4L2_YCBCR_ENC_601, V4L2_QUANTIZATION_FULL_RANGE};
    }
    switch (colorimetry) {
        case Colorimetry::Bt601Limited:
            break;
        case Colorimetry::Bt601Full:
            return {V4L2_COLORSPACE_SMPTE170M, V4L2_YCBCR_ENC_601, V4L2_QUANTIZATION_FULL_RANGE};
        case Colorimetry::Bt709Limited:
            return {V4L2_COLORSPACE_REC709, V4L2_YCBCR_ENC_709, V4L2_QUANTIZATION_LIM_RANGE};
        case Colorimetry::Bt709Full:
            return {V4L2_COLORSPACE_REC709, V4L2_YCBCR_ENC_709, V4L2_QUANTIZATION_FULL_RANGE};
        case Colorimetry::Bt2020Limited:
            return {V4L2_COLORSPACE_BT2020, V4L2_YCBCR_ENC_BT2020, V4L2_QUANTIZATION_LIM_RANGE};
        case Colorimetry::Bt2020Full:
            return {V4L2_COLORSPACE_BT2020, V4L2_YCBCR_ENC_BT2020, V4L2_QUANTIZATION_FULL_RANGE};
    }
    return {V4L2_COLORSPACE_SMPTE170M, V4L2_YCBCR_ENC_601, V4L2_QUANTIZATION_LIM_RANGE};
}

ImageLayout layoutOf(const proc::ImageSpec& image) {
    const auto fourcc = fourccOf(image.format);
    if (!fourcc) {
        throw Error(LAROD_ERROR_LOAD_MODEL, "V4L2 has no format for {} images", proc::describe(image.format).name);
    }
    const uint64_t bytes = uint64_t{image.pitch} * image.height * proc::describe(image.format).sizeQuarters / 4;
    if (bytes > std::numeric_limits<uint32_t>::max()) {
        throw Error(LAROD_ERROR_LOAD_MODEL, "images of V4L2 have less than 4 GiB, not {} bytes", bytes);
    }
    return {*fourcc, static_cast<uint32_t>(image.width), static_cast<uint32_t>(image.height),
            static_cast<uint32_t>(image.pitch), static_cast<uint32_t>(bytes)};
}

std::string layoutText(const ImageLayout& layout) {
    return fmt::format("{} {}x{}, row pitch {}, {} bytes", fourccText(layout.fourcc), layout.width, layout.height,
                       layout.pitch, layout.bytes);
}

}  // namespace larod::device::v4l2
