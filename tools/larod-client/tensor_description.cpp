// SPDX-License-Identifier: Apache-2.0
// One line about a tensor, for -d.
#include "larod-client/tensor_description.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <span>

namespace larod::tools {

namespace {

// Indexed by the enumerations of larod.h.
constexpr std::array<const char*, LAROD_TENSOR_DATA_TYPE_MAX> kTypeNames = {
    "INVALID", "UNSPECIFIED", "BOOL",   "UINT8", "INT8",    "UINT16",  "INT16",
    "UINT32",  "INT32",       "UINT64", "INT64", "FLOAT16", "FLOAT32", "FLOAT64"};
constexpr std::array<const char*, LAROD_TENSOR_LAYOUT_MAX> kLayoutNames = {"INVALID", "UNSPECIFIED", "NHWC", "NCHW",
                                                                           "420SP"};

template <size_t Count>
const char* nameOf(const std::array<const char*, Count>& names, unsigned value) {
    return value < Count ? names[value] : "unknown";
}

}  // namespace

std::string describeTensor(const larodTensor* tensor) {
    const char* name = larodGetTensorName(tensor, nullptr);
    const larodTensorDims* dims = larodGetTensorDims(tensor, nullptr);
    const larodTensorPitches* pitches = larodGetTensorPitches(tensor, nullptr);
    size_t sizeBytes = 0;
    larodGetTensorByteSize(tensor, &sizeBytes, nullptr);
    return fmt::format(
        "'{}' {} {}, dims {}, pitches {}, {} bytes", name != nullptr ? name : "",
        nameOf(kTypeNames, larodGetTensorDataType(tensor, nullptr)),
        nameOf(kLayoutNames, larodGetTensorLayout(tensor, nullptr)),
        dims != nullptr ? fmt::format("{}", fmt::join(std::span(dims->dims, dims->len), "x")) : "unknown",
        pitches != nullptr ? fmt::format("{}", fmt::join(std::span(pitches->pitches, pitches->len), ",")) : "unknown",
        sizeBytes);
}

}  // namespace larod::tools
