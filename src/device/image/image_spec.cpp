// SPDX-License-Identifier: Apache-2.0
#include "device/image/image_spec.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

namespace larod::device::proc {

namespace {

void setShape(TensorSpec& spec, std::initializer_list<size_t> dims, std::initializer_list<size_t> pitches) {
    spec.dims.len = dims.size();
    std::copy(dims.begin(), dims.end(), spec.dims.dims);
    spec.pitches.len = pitches.size();
    std::copy(pitches.begin(), pitches.end(), spec.pitches.pitches);
}

larodTensorDataType dataType(SampleType type) {
    switch (type) {
        case SampleType::Uint8:
            return LAROD_TENSOR_DATA_TYPE_UINT8;
        case SampleType::Int8:
            return LAROD_TENSOR_DATA_TYPE_INT8;
        case SampleType::Float16:
            return LAROD_TENSOR_DATA_TYPE_FLOAT16;
        case SampleType::Float32:
            break;
    }
    return LAROD_TENSOR_DATA_TYPE_FLOAT32;
}

}  // namespace

size_t unpaddedRow(Format format, SampleType type, size_t width) noexcept {
    return width * describe(format).rowBytes * bytesOf(type);
}

TensorSpec tensorSpec(const ImageSpec& image, std::string name) {
    const FormatDescription& format = describe(image.format);
    const size_t plane = image.pitch * image.height;
    const size_t size = plane * format.sizeQuarters / 4;  // a whole number: images of luma and chroma have even sizes
    TensorSpec spec;
    spec.name = std::move(name);
    spec.dataType = dataType(image.type);
    spec.layout = format.layout;
    if (format.layout == LAROD_TENSOR_LAYOUT_NCHW) {
        setShape(spec, {1, 3, image.height, image.width}, {size, size, plane, image.pitch});
    } else if (format.layout == LAROD_TENSOR_LAYOUT_NHWC) {
        setShape(spec, {1, image.height, image.width, format.tensorSamples},
                 {plane, plane, image.pitch, format.tensorSamples * bytesOf(image.type)});
    } else {
        setShape(spec, {3, image.height, image.width}, {size, plane, image.pitch});
    }
    return spec;
}

}  // namespace larod::device::proc
