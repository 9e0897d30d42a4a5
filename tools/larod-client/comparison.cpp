// SPDX-License-Identifier: Apache-2.0
// How far outputs are from those of a file.
#include "larod-client/comparison.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <limits>
#include <span>

#include "larod-client/stamped_output.h"
#include "larod-client/tool_error.h"
#include "larod-client/whole_file.h"

namespace larod::tools {

namespace {

// 64-bit integers differ by what a double would round away.
template <typename T>
double integerDifference(const TensorElements& actual, const TensorElements& expected, size_t index) {
    T a = 0;
    T b = 0;
    std::memcpy(&a, actual.bytes.data() + index * sizeof a, sizeof a);
    std::memcpy(&b, expected.bytes.data() + index * sizeof b, sizeof b);
    const auto more = static_cast<uint64_t>(a > b ? a : b);
    const auto less = static_cast<uint64_t>(a > b ? b : a);
    return static_cast<double>(more - less);
}

double difference(const TensorElements& actual, const TensorElements& expected, size_t index) {
    if (actual.type == LAROD_TENSOR_DATA_TYPE_UINT64) {
        return integerDifference<uint64_t>(actual, expected, index);
    }
    if (actual.type == LAROD_TENSOR_DATA_TYPE_INT64) {
        return integerDifference<int64_t>(actual, expected, index);
    }
    const double a = actual.value(index);
    const double b = expected.value(index);
    if (a == b || (std::isnan(a) && std::isnan(b))) {
        return 0;
    }
    const double distance = std::abs(a - b);
    return std::isnan(distance) ? std::numeric_limits<double>::infinity() : distance;
}

std::string resultText(const Comparison& result, const TensorElements& actual, const TensorElements& expected) {
    std::string text = fmt::format("{} of {} elements equal ({:.3f} %)", result.equal, result.count,
                                   100 * static_cast<double>(result.equal) / static_cast<double>(result.count));
    if (result.firstDifferent) {
        const size_t first = *result.firstDifferent;
        text += fmt::format(", largest difference {:g} in element {}, mean {:g}, first in element {}: {:g}, not {:g}",
                            result.largestDifference, actual.placeText(result.largestPlace), result.meanDifference,
                            actual.placeText(first), actual.value(first), expected.value(first));
    }
    return text;
}

void requireSize(const TensorBuffers& outputs, size_t index, const std::string& reference, uint64_t sizeBytes) {
    if (sizeBytes != outputs.sizeBytes(index)) {
        throw ToolError(EINVAL, fmt::format("'{}' has {} bytes, but {} has {}", reference, sizeBytes,
                                            outputs.nameOf(index), outputs.sizeBytes(index)));
    }
}

}  // namespace

Comparison compareElements(const TensorElements& actual, const TensorElements& expected) {
    Comparison result;
    result.count = actual.count();
    double sum = 0;
    for (size_t index = 0; index < result.count; ++index) {
        const double distance = difference(actual, expected, index);
        if (distance == 0) {
            ++result.equal;
            continue;
        }
        if (!result.firstDifferent) {
            result.firstDifferent = index;
        }
        if (distance > result.largestDifference) {
            result.largestDifference = distance;
            result.largestPlace = index;
        }
        sum += distance;
    }
    result.meanDifference = result.count == 0 ? 0 : sum / static_cast<double>(result.count);
    return result;
}

void checkReferences(const TensorBuffers& outputs, const std::vector<std::string>& references) {
    if (references.size() != outputs.size()) {
        throw ToolError(EINVAL,
                        fmt::format("The model has {} output(s), but {} --compare option(s) are given; an empty name "
                                    "leaves an output out",
                                    outputs.size(), references.size()));
    }
    for (size_t index = 0; index < outputs.size(); ++index) {
        struct stat status {};
        if (!references[index].empty() && ::stat(references[index].c_str(), &status) == 0 && S_ISREG(status.st_mode)) {
            requireSize(outputs, index, references[index], static_cast<uint64_t>(status.st_size));
        }
    }
}

std::optional<std::string> compareOutputs(const TensorBuffers& outputs, const std::vector<std::string>& references,
                                          double tolerance) {
    std::optional<std::string> tooFar;
    for (size_t index = 0; index < outputs.size(); ++index) {
        const std::string& name = references[index];
        if (name.empty()) {
            continue;
        }
        const size_t sizeBytes = outputs.sizeBytes(index);
        const std::vector<std::byte> reference = readWholeFile(name, sizeBytes);
        requireSize(outputs, index, name, reference.size());
        const larodTensor* tensor = outputs.tensors()[index];
        const TensorElements expected = elementsOf(tensor, reference);
        TensorElements actual;
        outputs.read(index, [&](std::span<const std::byte> data) { actual = elementsOf(tensor, data); });
        const Comparison result = compareElements(actual, expected);
        printStamped(fmt::format("Compared {} with '{}': {}", outputs.nameOf(index), name,
                                 resultText(result, actual, expected)));
        if (result.largestDifference > tolerance && !tooFar) {
            tooFar = fmt::format("{} differs from '{}' by {:g}, more than the tolerance of {:g}", outputs.nameOf(index),
                                 name, result.largestDifference, tolerance);
        }
    }
    return tooFar;
}

}  // namespace larod::tools
