// SPDX-License-Identifier: Apache-2.0
// A plain double-precision implementation of preprocessing.md, to compare the device with. It is slow and shares no
// code with the device.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace larod::device::proc {

struct ReferenceImage {
    std::string format;
    size_t width = 0;
    size_t height = 0;
    size_t pitch = 0;
};

struct ReferenceWindow {
    size_t x = 0;
    size_t y = 0;
    size_t width = 0;
    size_t height = 0;
};

// What each byte of the output should be; -1 for bytes that must not be touched.
[[nodiscard]] std::vector<double> referenceConvert(const ReferenceImage& input, const std::vector<uint8_t>& bytes,
                                                   const ReferenceWindow& window, const std::string& filter,
                                                   const ReferenceImage& output);

}  // namespace larod::device::proc
