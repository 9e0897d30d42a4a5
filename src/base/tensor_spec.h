// SPDX-License-Identifier: Apache-2.0
// What a model says about one of its tensors. A value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "larod.h"

namespace larod {

enum class Direction : uint8_t { Input, Output };

[[nodiscard]] std::string_view directionName(Direction direction) noexcept;  // "input" or "output"

// Bytes of one element; 0 for INVALID, UNSPECIFIED and unknown values. BOOL is one byte (api.md 1.6).
[[nodiscard]] size_t elementSize(larodTensorDataType type) noexcept;

// "float32", "420SP" and the like, for messages; "unknown(17)" for values outside the enumerations.
[[nodiscard]] std::string dataTypeName(larodTensorDataType type);
[[nodiscard]] std::string layoutName(larodTensorLayout layout);

// "(1, 224, 224, 3)"; "unspecified" for len 0.
[[nodiscard]] std::string dimsText(const larodTensorDims& dims);
[[nodiscard]] std::string pitchesText(const larodTensorPitches& pitches);

[[nodiscard]] bool sameDims(const larodTensorDims& a, const larodTensorDims& b) noexcept;
[[nodiscard]] bool samePitches(const larodTensorPitches& a, const larodTensorPitches& b) noexcept;

// Pitches without padding: last = dim * element size, going left dims[i] * pitches[i+1] (behaviour.md 3.3).
// Nothing where a product overflows. An element size of 0 counts as 1.
[[nodiscard]] std::optional<larodTensorPitches> unpaddedPitches(const larodTensorDims& dims,
                                                                larodTensorDataType type) noexcept;

struct TensorSpec {
    std::string name;
    larodTensorDataType dataType = LAROD_TENSOR_DATA_TYPE_UNSPECIFIED;
    larodTensorLayout layout = LAROD_TENSOR_LAYOUT_UNSPECIFIED;
    larodTensorDims dims{};
    larodTensorPitches pitches{};

    // api.md 8: pitches[0], else the product of dims times the element size, else 0 (undefined; also where it
    // overflows).
    [[nodiscard]] size_t byteSize() const noexcept;
};

}  // namespace larod
