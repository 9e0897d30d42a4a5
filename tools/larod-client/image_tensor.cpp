// SPDX-License-Identifier: Apache-2.0
// A tensor as an image, in the words of the parameters of devices that convert images.
#include "larod-client/image_tensor.h"

#include <fmt/format.h>

#include <cstdint>

namespace larod::tools {

namespace {

std::string typeOf(larodTensorDataType type) {
    switch (type) {
        case LAROD_TENSOR_DATA_TYPE_UINT8:
            return "uint8";
        case LAROD_TENSOR_DATA_TYPE_INT8:
            return "int8";
        case LAROD_TENSOR_DATA_TYPE_FLOAT16:
            return "float16";
        case LAROD_TENSOR_DATA_TYPE_FLOAT32:
            return "float32";
        default:
            return "";
    }
}

}  // namespace

std::vector<Parameter> ImageTensor::parameters(const std::string& side) const {
    const std::string prefix = "image." + side + ".";
    std::vector<Parameter> result = {
        {prefix + "format", format},
        {prefix + "size", std::vector{static_cast<int64_t>(width), static_cast<int64_t>(height)}}};
    if (rowPitch != 0) {
        result.push_back({prefix + "row-pitch", static_cast<int64_t>(rowPitch)});
    }
    if (type != "uint8") {
        result.push_back({prefix + "type", type});
    }
    return result;
}

std::string ImageTensor::text() const {
    return fmt::format("{}x{} {}, {}", width, height, format, type);
}

std::optional<ImageTensor> imageTensor(const larodTensor* tensor) {
    const larodTensorDims* dims = larodGetTensorDims(tensor, nullptr);
    const larodTensorPitches* pitches = larodGetTensorPitches(tensor, nullptr);
    const larodTensorLayout layout = larodGetTensorLayout(tensor, nullptr);
    ImageTensor image;
    image.type = typeOf(larodGetTensorDataType(tensor, nullptr));
    if (image.type.empty() || dims == nullptr || pitches == nullptr) {
        return std::nullopt;
    }
    const auto pitch = [pitches](size_t index) { return index < pitches->len ? pitches->pitches[index] : 0; };
    if (layout == LAROD_TENSOR_LAYOUT_420SP && dims->len == 3 && image.type == "uint8") {
        image.format = "nv12";
        image.width = dims->dims[2];
        image.height = dims->dims[1];
        image.rowPitch = pitch(2);
    } else if (dims->len != 4 || dims->dims[0] != 1) {
        return std::nullopt;
    } else if (layout != LAROD_TENSOR_LAYOUT_NCHW && dims->dims[3] == 3) {
        image.format = "rgb-interleaved";
        image.width = dims->dims[2];
        image.height = dims->dims[1];
        image.rowPitch = pitch(2);
    } else if (layout != LAROD_TENSOR_LAYOUT_NHWC && dims->dims[1] == 3) {
        image.format = "rgb-planar";
        image.width = dims->dims[3];
        image.height = dims->dims[2];
        image.rowPitch = pitch(3);
    } else {
        return std::nullopt;
    }
    return image;
}

}  // namespace larod::tools
