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

// The bytes of a row without padding, and those of the image.
[[nodiscard]] size_t referenceRowBytes(const std::string& format, size_t width);
[[nodiscard]] size_t referenceBytes(const ReferenceImage& image);

// Whether the format's components are Y Cb Cr.
[[nodiscard]] bool referenceIsYuv(const std::string& format);

// What each byte of the output should be; -1 for bytes that must not be touched.
[[nodiscard]] std::vector<double> referenceConvert(const ReferenceImage& input, const std::vector<uint8_t>& bytes,
                                                   const ReferenceWindow& window, const std::string& filter,
                                                   const ReferenceImage& output,
                                                   const std::string& colorimetry = "bt601-limited");

}  // namespace larod::device::proc
