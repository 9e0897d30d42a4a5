// SPDX-License-Identifier: Apache-2.0
// An image in memory: format, size, row pitch, and the tensor that it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/tensor_spec.h"

namespace larod::device::proc {

// Both extents of an image; with a row pitch of at most kMaxRowPitch no size of an image overflows.
inline constexpr size_t kMaxExtent = 16'384;
inline constexpr size_t kMaxRowPitch = size_t{1} << 20;

enum class Format : uint8_t { Nv12, RgbInterleaved, RgbPlanar };
enum class SampleType : uint8_t { Uint8, Float32 };  // Float32 only with RgbInterleaved

struct ImageSpec {
    Format format = Format::Nv12;
    SampleType type = SampleType::Uint8;
    size_t width = 0;   // pixels
    size_t height = 0;  // pixels
    size_t pitch = 0;   // bytes from one row to the next
};

// The format of that name (preprocessing.md 3); exact and case sensitive.
[[nodiscard]] std::optional<Format> formatByName(std::string_view name) noexcept;
[[nodiscard]] std::string_view formatName(Format format) noexcept;

// Bytes of a row without padding (preprocessing.md 2).
[[nodiscard]] size_t unpaddedRow(Format format, SampleType type, size_t width) noexcept;

// The tensor's metadata (preprocessing.md 4). Of a float32 image: (p*H, p*H, p, 12).
[[nodiscard]] TensorSpec tensorSpec(const ImageSpec& image, std::string name);

}  // namespace larod::device::proc
