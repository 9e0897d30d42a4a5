// SPDX-License-Identifier: Apache-2.0
// How far outputs are from those of a file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "larod-client/tensor_buffers.h"
#include "larod-client/tensor_elements.h"

namespace larod::tools {

struct Comparison {
    uint64_t count = 0;
    uint64_t equal = 0;
    double largestDifference = 0;
    size_t largestPlace = 0;
    double meanDifference = 0;
    std::optional<size_t> firstDifferent;
};

// Element by element; both have the same type and number of elements. Two NaN are equal, and a NaN is infinitely far
// from anything else.
[[nodiscard]] Comparison compareElements(const TensorElements& actual, const TensorElements& expected);

// Before any job: throws ToolError for another number of files than outputs, and a file of another size.
void checkReferences(const TensorBuffers& outputs, const std::vector<std::string>& references);

// Compares each output with the file of the same place, whose bytes are those of the tensor; an empty name leaves it
// out. Prints a line each. checkReferences() has been passed. Throws ToolError: a file that can't be read. Gives a text
// about the first output where a difference is greater than `tolerance`; none: there is no such.
[[nodiscard]] std::optional<std::string> compareOutputs(const TensorBuffers& outputs,
                                                        const std::vector<std::string>& references, double tolerance);

}  // namespace larod::tools
