// SPDX-License-Identifier: Apache-2.0
// An image in memory: format, size, row pitch, and the tensor that it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/tensor_spec.h"
#include "device/image/image_format.h"

namespace larod::device::proc {

// Both extents of an image; with a row pitch of at most kMaxRowPitch no size of an image overflows.
inline constexpr size_t kMaxExtent = 16'384;
inline constexpr size_t kMaxRowPitch = size_t{1} << 20;

// Of the components in memory; others than Uint8 in rgb outputs only.
enum class SampleType : uint8_t { Uint8, Int8, Float16, Float32 };

[[nodiscard]] constexpr size_t bytesOf(SampleType type) noexcept {
    switch (type) {
        case SampleType::Uint8:
        case SampleType::Int8:
            return 1;
        case SampleType::Float16:
            return 2;
        case SampleType::Float32:
            break;
    }
    return 4;
}

struct ImageSpec {
    Format format = Format::Nv12;
    SampleType type = SampleType::Uint8;
    size_t width = 0;   // pixels
    size_t height = 0;  // pixels
    size_t pitch = 0;   // bytes from one row to the next
};

// Bytes of a row without padding (preprocessing.md 2).
[[nodiscard]] size_t unpaddedRow(Format format, SampleType type, size_t width) noexcept;

// The tensor's metadata (preprocessing.md 4). Sizes are in bytes, whatever the type.
[[nodiscard]] TensorSpec tensorSpec(const ImageSpec& image, std::string name);

}  // namespace larod::device::proc
