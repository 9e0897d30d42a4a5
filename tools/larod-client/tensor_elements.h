// SPDX-License-Identifier: Apache-2.0
// The elements of a tensor, without the padding between them, and their values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "larod.h"

namespace larod::tools {

struct TensorElements {
    larodTensorDataType type = LAROD_TENSOR_DATA_TYPE_UINT8;
    std::vector<size_t> dims;      // empty: not known
    std::vector<std::byte> bytes;  // in the order of the dimensions; whole elements

    [[nodiscard]] size_t count() const noexcept;
    // As far as a double can tell: integers beyond 2^53 are rounded.
    [[nodiscard]] double value(size_t index) const;
    [[nodiscard]] std::vector<double> values() const;
    // "17", or "17 at [0, 3, 5]" where the dimensions are known.
    [[nodiscard]] std::string placeText(size_t index) const;
};

// In bytes; types that are not specified count as bytes.
[[nodiscard]] size_t elementSize(larodTensorDataType type) noexcept;

// `data` is all of the tensor, or of a file like it. Where the tensor does not say where its elements are, all of the
// data counts.
[[nodiscard]] TensorElements elementsOf(const larodTensor* tensor, std::span<const std::byte> data);

}  // namespace larod::tools
