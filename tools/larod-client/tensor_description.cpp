// SPDX-License-Identifier: Apache-2.0
// Texts about a tensor.
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

const char* typeText(larodTensorDataType type) noexcept {
    return nameOf(kTypeNames, type);
}

const char* layoutText(larodTensorLayout layout) noexcept {
    return nameOf(kLayoutNames, layout);
}

std::string describeTensor(const larodTensor* tensor) {
    const char* name = larodGetTensorName(tensor, nullptr);
    const larodTensorDims* dims = larodGetTensorDims(tensor, nullptr);
    const larodTensorPitches* pitches = larodGetTensorPitches(tensor, nullptr);
    size_t sizeBytes = 0;
    larodGetTensorByteSize(tensor, &sizeBytes, nullptr);
    return fmt::format(
        "'{}' {} {}, dims {}, pitches {}, {} bytes", name != nullptr ? name : "",
        typeText(larodGetTensorDataType(tensor, nullptr)), layoutText(larodGetTensorLayout(tensor, nullptr)),
        dims != nullptr ? fmt::format("{}", fmt::join(std::span(dims->dims, dims->len), "x")) : "unknown",
        pitches != nullptr ? fmt::format("{}", fmt::join(std::span(pitches->pitches, pitches->len), ",")) : "unknown",
        sizeBytes);
}

}  // namespace larod::tools
