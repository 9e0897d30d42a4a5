// SPDX-License-Identifier: Apache-2.0
#include "device/libyuv/image_spec.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

namespace larod::device::proc {

namespace {

constexpr std::pair<Format, std::string_view> kFormats[] = {
    {Format::Nv12, "nv12"},
    {Format::RgbInterleaved, "rgb-interleaved"},
    {Format::RgbPlanar, "rgb-planar"},
};

void setShape(TensorSpec& spec, std::initializer_list<size_t> dims, std::initializer_list<size_t> pitches) {
    spec.dims.len = dims.size();
    std::copy(dims.begin(), dims.end(), spec.dims.dims);
    spec.pitches.len = pitches.size();
    std::copy(pitches.begin(), pitches.end(), spec.pitches.pitches);
}

}  // namespace

std::optional<Format> formatByName(std::string_view name) noexcept {
    for (const auto& [format, known] : kFormats) {
        if (known == name) {
            return format;
        }
    }
    return std::nullopt;
}

std::string_view formatName(Format format) noexcept {
    return kFormats[static_cast<size_t>(format)].second;
}

size_t unpaddedRow(Format format, SampleType type, size_t width) noexcept {
    return width * (format == Format::RgbInterleaved ? 3 : 1) * (type == SampleType::Float32 ? sizeof(float) : 1);
}

TensorSpec tensorSpec(const ImageSpec& image, std::string name) {
    TensorSpec spec;
    spec.name = std::move(name);
    spec.dataType = image.type == SampleType::Float32 ? LAROD_TENSOR_DATA_TYPE_FLOAT32 : LAROD_TENSOR_DATA_TYPE_UINT8;
    const size_t plane = image.pitch * image.height;
    switch (image.format) {
        case Format::Nv12:
            spec.layout = LAROD_TENSOR_LAYOUT_420SP;
            setShape(spec, {3, image.height, image.width}, {3 * plane / 2, plane, image.pitch});
            break;
        case Format::RgbInterleaved:
            spec.layout = LAROD_TENSOR_LAYOUT_NHWC;
            setShape(spec, {1, image.height, image.width, 3},
                     {plane, plane, image.pitch, image.type == SampleType::Float32 ? size_t{12} : size_t{3}});
            break;
        case Format::RgbPlanar:
            spec.layout = LAROD_TENSOR_LAYOUT_NCHW;
            setShape(spec, {1, 3, image.height, image.width}, {3 * plane, 3 * plane, plane, image.pitch});
            break;
    }
    return spec;
}

}  // namespace larod::device::proc
