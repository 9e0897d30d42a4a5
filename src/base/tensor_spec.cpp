// SPDX-License-Identifier: Apache-2.0
#include "base/tensor_spec.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/checked.h"

namespace larod {

std::string_view directionName(Direction direction) noexcept {
    return direction == Direction::Input ? "input" : "output";
}

size_t elementSize(larodTensorDataType type) noexcept {
    switch (type) {
        case LAROD_TENSOR_DATA_TYPE_BOOL:
        case LAROD_TENSOR_DATA_TYPE_UINT8:
        case LAROD_TENSOR_DATA_TYPE_INT8:
            return 1;
        case LAROD_TENSOR_DATA_TYPE_UINT16:
        case LAROD_TENSOR_DATA_TYPE_INT16:
        case LAROD_TENSOR_DATA_TYPE_FLOAT16:
            return 2;
        case LAROD_TENSOR_DATA_TYPE_UINT32:
        case LAROD_TENSOR_DATA_TYPE_INT32:
        case LAROD_TENSOR_DATA_TYPE_FLOAT32:
            return 4;
        case LAROD_TENSOR_DATA_TYPE_UINT64:
        case LAROD_TENSOR_DATA_TYPE_INT64:
        case LAROD_TENSOR_DATA_TYPE_FLOAT64:
            return 8;
        default:
            return 0;
    }
}

std::string dataTypeName(larodTensorDataType type) {
    static constexpr std::string_view kNames[] = {"invalid", "unspecified", "bool",    "uint8",  "int8",
                                                  "uint16",  "int16",       "uint32",  "int32",  "uint64",
                                                  "int64",   "float16",     "float32", "float64"};
    const auto index = static_cast<size_t>(type);
    return index < std::size(kNames) ? std::string(kNames[index]) : fmt::format("unknown({})", static_cast<int>(type));
}

std::string layoutName(larodTensorLayout layout) {
    static constexpr std::string_view kNames[] = {"invalid", "unspecified", "NHWC", "NCHW", "420SP"};
    const auto index = static_cast<size_t>(layout);
    return index < std::size(kNames) ? std::string(kNames[index])
                                     : fmt::format("unknown({})", static_cast<int>(layout));
}

namespace {

std::string extentsText(const size_t* values, size_t len) {
    if (len == 0) {
        return "unspecified";
    }
    return fmt::format("({})", fmt::join(values, values + std::min<size_t>(len, LAROD_TENSOR_MAX_LEN), ", "));
}

}  // namespace

std::string dimsText(const larodTensorDims& dims) {
    return extentsText(dims.dims, dims.len);
}

std::string pitchesText(const larodTensorPitches& pitches) {
    return extentsText(pitches.pitches, pitches.len);
}

bool sameDims(const larodTensorDims& a, const larodTensorDims& b) noexcept {
    return a.len == b.len && std::equal(a.dims, a.dims + a.len, b.dims);
}

bool samePitches(const larodTensorPitches& a, const larodTensorPitches& b) noexcept {
    return a.len == b.len && std::equal(a.pitches, a.pitches + a.len, b.pitches);
}

std::optional<larodTensorPitches> unpaddedPitches(const larodTensorDims& dims, larodTensorDataType type) noexcept {
    larodTensorPitches pitches{};
    pitches.len = dims.len;
    size_t below = std::max<size_t>(elementSize(type), 1);
    for (size_t i = dims.len; i-- > 0;) {
        const auto pitch = checkedMul(dims.dims[i], below);
        if (!pitch) {
            return std::nullopt;
        }
        pitches.pitches[i] = *pitch;
        below = *pitch;
    }
    return pitches;
}

size_t TensorSpec::byteSize() const noexcept {
    if (pitches.len > 0) {
        return pitches.pitches[0];
    }
    if (dims.len == 0 || elementSize(dataType) == 0) {
        return 0;
    }
    const auto unpadded = unpaddedPitches(dims, dataType);
    return unpadded ? unpadded->pitches[0] : 0;
}

}  // namespace larod
