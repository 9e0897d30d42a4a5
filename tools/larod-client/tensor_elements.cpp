// SPDX-License-Identifier: Apache-2.0
// The elements of a tensor, without the padding between them, and their values.
#include "larod-client/tensor_elements.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <numeric>

namespace larod::tools {

namespace {

template <typename T>
double valueAt(std::span<const std::byte> bytes, size_t index) {
    T element;
    std::memcpy(&element, bytes.data() + index * sizeof element, sizeof element);
    return static_cast<double>(element);
}

// IEEE 754: 5 bits of exponent with the bias 15, 10 of fraction.
double halfAt(std::span<const std::byte> bytes, size_t index) {
    uint16_t bits = 0;
    std::memcpy(&bits, bytes.data() + index * sizeof bits, sizeof bits);
    const int exponent = bits >> 10 & 0x1f;
    const int fraction = bits & 0x3ff;
    double value = 0;
    if (exponent == 0x1f) {
        value = fraction == 0 ? std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
    } else if (exponent == 0) {
        value = std::ldexp(fraction, -24);
    } else {
        value = std::ldexp(fraction + 0x400, exponent - 25);
    }
    return (bits & 0x8000) != 0 ? -value : value;
}

// Copies row after row of the last dimension.
void appendRows(std::span<const std::byte> data, std::span<const size_t> dims, std::span<const size_t> pitches,
                size_t offset, size_t rowBytes, std::vector<std::byte>& bytes) {
    if (dims.size() == 1) {
        const auto row = data.subspan(offset, rowBytes);
        bytes.insert(bytes.end(), row.begin(), row.end());
        return;
    }
    for (size_t index = 0; index < dims.front(); ++index) {
        appendRows(data, dims.subspan(1), pitches.subspan(1), offset + index * pitches[1], rowBytes, bytes);
    }
}

// Whether rows of these sizes lie in `size` bytes one behind the other.
bool fits(std::span<const size_t> dims, std::span<const size_t> pitches, size_t size) {
    if (dims.empty() || dims.size() != pitches.size() || pitches.front() > size) {
        return false;
    }
    for (size_t index = 0; index + 1 < dims.size(); ++index) {
        if (dims[index] == 0 || pitches[index + 1] == 0 || dims[index] > pitches[index] / pitches[index + 1]) {
            return false;
        }
    }
    return true;
}

}  // namespace

size_t elementSize(larodTensorDataType type) noexcept {
    switch (type) {
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
            return 1;
    }
}

size_t TensorElements::count() const noexcept {
    return bytes.size() / elementSize(type);
}

double TensorElements::value(size_t index) const {
    switch (type) {
        case LAROD_TENSOR_DATA_TYPE_INT8:
            return valueAt<int8_t>(bytes, index);
        case LAROD_TENSOR_DATA_TYPE_UINT16:
            return valueAt<uint16_t>(bytes, index);
        case LAROD_TENSOR_DATA_TYPE_INT16:
            return valueAt<int16_t>(bytes, index);
        case LAROD_TENSOR_DATA_TYPE_UINT32:
            return valueAt<uint32_t>(bytes, index);
        case LAROD_TENSOR_DATA_TYPE_INT32:
            return valueAt<int32_t>(bytes, index);
        case LAROD_TENSOR_DATA_TYPE_UINT64:
            return valueAt<uint64_t>(bytes, index);
        case LAROD_TENSOR_DATA_TYPE_INT64:
            return valueAt<int64_t>(bytes, index);
        case LAROD_TENSOR_DATA_TYPE_FLOAT16:
            return halfAt(bytes, index);
        case LAROD_TENSOR_DATA_TYPE_FLOAT32:
            return valueAt<float>(bytes, index);
        case LAROD_TENSOR_DATA_TYPE_FLOAT64:
            return valueAt<double>(bytes, index);
        default:
            return valueAt<uint8_t>(bytes, index);
    }
}

std::vector<double> TensorElements::values() const {
    std::vector<double> all;
    all.reserve(count());
    for (size_t index = 0; index < count(); ++index) {
        all.push_back(value(index));
    }
    return all;
}

std::string TensorElements::placeText(size_t index) const {
    if (dims.size() < 2) {
        return fmt::format("{}", index);
    }
    std::vector<size_t> place(dims.size());
    size_t rest = index;
    for (size_t dim = dims.size(); dim-- > 0;) {
        place[dim] = rest % dims[dim];
        rest /= dims[dim];
    }
    return fmt::format("{} at [{}]", index, fmt::join(place, ", "));
}

TensorElements elementsOf(const larodTensor* tensor, std::span<const std::byte> data) {
    TensorElements elements;
    elements.type = larodGetTensorDataType(tensor, nullptr);
    const size_t size = elementSize(elements.type);
    const larodTensorDims* dims = larodGetTensorDims(tensor, nullptr);
    const larodTensorPitches* pitches = larodGetTensorPitches(tensor, nullptr);
    std::vector<size_t> shape;
    std::vector<size_t> steps;
    if (dims != nullptr && pitches != nullptr) {
        shape.assign(dims->dims, dims->dims + dims->len);
        steps.assign(pitches->pitches, pitches->pitches + pitches->len);
    }
    if (larodGetTensorLayout(tensor, nullptr) == LAROD_TENSOR_LAYOUT_420SP && shape.size() == 3 && steps.size() == 3) {
        // The chroma has a row for two of luma, and begins behind the luma's last one.
        shape = {1, shape[1] + (shape[1] + 1) / 2, shape[2]};
        steps[1] = steps[0];
    }
    // The last pitch is that of the last dimension's whole row.
    if (!fits(shape, steps, data.size()) || shape.back() > steps.back() / size) {
        elements.bytes.assign(data.begin(), data.end() - static_cast<std::ptrdiff_t>(data.size() % size));
        return elements;
    }
    elements.dims = shape;
    appendRows(data, shape, steps, 0, shape.back() * size, elements.bytes);
    return elements;
}

}  // namespace larod::tools
