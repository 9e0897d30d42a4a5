// SPDX-License-Identifier: Apache-2.0
// Images as V4L2 describes them.
#pragma once

#include <linux/videodev2.h>

#include <cstdint>
#include <optional>
#include <string>

#include "device/image/image_spec.h"
#include "device/image/proc_params.h"

namespace larod::device::v4l2 {

// The format of one plane whose memory is larod's, where V4L2 has one (rgb-planar has none). The formats of two planes
// (NV12M) want two buffers, which a tensor is not.
[[nodiscard]] std::optional<uint32_t> fourccOf(proc::Format format) noexcept;

// For messages: "NV12".
[[nodiscard]] std::string fourccText(uint32_t fourcc);

// Where larod has this format as an input (or an output): its name.
[[nodiscard]] std::optional<std::string> larodName(uint32_t fourcc, bool output);

// The colours of an image, in the kernel's numbers.
struct Colours {
    uint32_t space = 0;
    uint32_t encoding = 0;
    uint32_t range = 0;
};

// `colorimetry` is that of images of luma and chroma; RGB is full range.
[[nodiscard]] Colours coloursOf(proc::Format format, proc::Colorimetry colorimetry) noexcept;

// An image in memory, in one piece.
struct ImageLayout {
    uint32_t fourcc = 0;
    uint32_t width = 0;   // pixels
    uint32_t height = 0;  // pixels
    uint32_t pitch = 0;   // bytes from one row to the next
    uint32_t bytes = 0;   // of the whole image
    friend bool operator==(const ImageLayout&, const ImageLayout&) = default;
};

// Throws Error(LAROD_ERROR_LOAD_MODEL) for formats that V4L2 has not, and for images of 4 GiB.
[[nodiscard]] ImageLayout layoutOf(const proc::ImageSpec& image);

// "RGB3 640x480, row pitch 1920, 921600 bytes".
[[nodiscard]] std::string layoutText(const ImageLayout& layout);

}  // namespace larod::device::v4l2
