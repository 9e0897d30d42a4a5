// SPDX-License-Identifier: Apache-2.0
#include "device/v4l2/v4l2_queue.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>

namespace larod::device::v4l2 {
namespace {

// Against a driver that never ends its list.
constexpr uint32_t kMaxListed = 256;

constexpr uint64_t kMicrosPerSecond = 1'000'000;

uint32_t bufType(Direction direction, bool multiPlanar) noexcept {
    if (direction == Direction::Input) {
        return multiPlanar ? V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE : V4L2_BUF_TYPE_VIDEO_OUTPUT;
    }
    return multiPlanar ? V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE : V4L2_BUF_TYPE_VIDEO_CAPTURE;
}

}  // namespace

Queue::Queue(Node& node, Direction direction, bool multiPlanar) noexcept
    : node_(node), direction_(direction), multiPlanar_(multiPlanar), type_(bufType(direction, multiPlanar)) {}

std::vector<OfferedFormat> Queue::formats() const {
    std::vector<OfferedFormat> formats;
    for (uint32_t index = 0; index < kMaxListed; ++index) {
        v4l2_fmtdesc format = {};
        format.index = index;
        format.type = type_;
        if (node_.enumFormat(format) != 0) {
            break;
        }
        constexpr uint32_t kColours = V4L2_FMT_FLAG_CSC_YCBCR_ENC | V4L2_FMT_FLAG_CSC_QUANTIZATION;
        formats.push_back({format.pixelformat, (format.flags & V4L2_FMT_FLAG_COMPRESSED) != 0,
                           direction_ == Direction::Output && (format.flags & kColours) != 0});
    }
    return formats;
}

std::optional<std::string> Queue::sizesText(uint32_t fourcc) const {
    std::string text;
    for (uint32_t index = 0; index < kMaxListed; ++index) {
        v4l2_frmsizeenum size = {};
        size.index = index;
        size.pixel_format = fourcc;
        if (node_.enumFrameSize(size) != 0) {
            break;
        }
        if (size.type != V4L2_FRMSIZE_TYPE_DISCRETE) {
            const v4l2_frmsize_stepwise& range = size.stepwise;
            text = fmt::format("{}x{} to {}x{}", range.min_width, range.min_height, range.max_width, range.max_height);
            if (range.step_width > 1 || range.step_height > 1) {
                text += fmt::format(" in steps of {} and {}", range.step_width, range.step_height);
            }
            return text;
        }
        text += fmt::format("{}{}x{}", text.empty() ? "" : ", ", size.discrete.width, size.discrete.height);
    }
    return text.empty() ? std::nullopt : std::optional(text);
}

int Queue::setFormat(const ImageLayout& layout, const Colours& colours, bool fixColours, GivenFormat& given) {
    v4l2_format format = {};
    format.type = type_;
    if (multiPlanar_) {
        v4l2_pix_format_mplane& pixels = format.fmt.pix_mp;
        pixels.width = layout.width;
        pixels.height = layout.height;
        pixels.pixelformat = layout.fourcc;
        pixels.field = V4L2_FIELD_NONE;
        pixels.num_planes = 1;
        pixels.plane_fmt[0].bytesperline = layout.pitch;
        pixels.plane_fmt[0].sizeimage = layout.bytes;
        pixels.colorspace = colours.space;
        pixels.ycbcr_enc = static_cast<uint8_t>(colours.encoding);
        pixels.quantization = static_cast<uint8_t>(colours.range);
        pixels.flags = fixColours ? V4L2_PIX_FMT_FLAG_SET_CSC : 0;
        if (const int error = node_.setFormat(format); error != 0) {
            return error;
        }
        given = {{pixels.pixelformat, pixels.width, pixels.height, pixels.plane_fmt[0].bytesperline,
                  pixels.plane_fmt[0].sizeimage},
                 pixels.num_planes,
                 pixels.ycbcr_enc,
                 pixels.quantization};
        return 0;
    }
    v4l2_pix_format& pixels = format.fmt.pix;
    pixels.width = layout.width;
    pixels.height = layout.height;
    pixels.pixelformat = layout.fourcc;
    pixels.field = V4L2_FIELD_NONE;
    pixels.bytesperline = layout.pitch;
    pixels.sizeimage = layout.bytes;
    pixels.colorspace = colours.space;
    pixels.priv = V4L2_PIX_FMT_PRIV_MAGIC;  // or the kernel drops what follows
    pixels.ycbcr_enc = colours.encoding;
    pixels.quantization = colours.range;
    pixels.flags = fixColours ? V4L2_PIX_FMT_FLAG_SET_CSC : 0;
    if (const int error = node_.setFormat(format); error != 0) {
        return error;
    }
    given = {{pixels.pixelformat, pixels.width, pixels.height, pixels.bytesperline, pixels.sizeimage},
             1,
             pixels.ycbcr_enc,
             pixels.quantization};
    return 0;
}

int Queue::requestBuffers(uint32_t& count, uint32_t memory) {
    v4l2_requestbuffers request = {};
    request.count = count;
    request.type = type_;
    request.memory = memory;
    const int error = node_.requestBuffers(request);
    count = error == 0 ? request.count : 0;
    return error;
}

int Queue::exportBuffer(uint32_t index, UniqueFd& buffer) {
    v4l2_exportbuffer request = {};
    request.type = type_;
    request.index = index;
    request.flags = O_RDWR | O_CLOEXEC;
    const int error = node_.exportBuffer(request);
    if (error == 0) {
        buffer.reset(request.fd);
    }
    return error;
}

int Queue::queueDmaBuf(uint32_t index, int fd, uint32_t bytes, uint64_t job) {
    // bytesused of an input is the image's: more than the length that the kernel knows so far would be refused. The
    // length is left to the kernel: 0 is that of the dma-buf.
    const uint32_t used = direction_ == Direction::Input ? bytes : 0;
    v4l2_plane plane = {};
    v4l2_buffer buffer = {};
    buffer.index = index;
    buffer.type = type_;
    buffer.memory = V4L2_MEMORY_DMABUF;
    buffer.field = V4L2_FIELD_NONE;
    buffer.timestamp.tv_sec = static_cast<decltype(buffer.timestamp.tv_sec)>(job / kMicrosPerSecond);
    buffer.timestamp.tv_usec = static_cast<decltype(buffer.timestamp.tv_usec)>(job % kMicrosPerSecond);
    if (multiPlanar_) {
        plane.m.fd = fd;
        plane.bytesused = used;
        buffer.m.planes = &plane;
        buffer.length = 1;
    } else {
        buffer.m.fd = fd;
        buffer.bytesused = used;
    }
    return node_.queueBuffer(buffer);
}

int Queue::dequeueDmaBuf(DoneBuffer& done) {
    v4l2_plane planes[VIDEO_MAX_PLANES] = {};
    v4l2_buffer buffer = {};
    buffer.type = type_;
    buffer.memory = V4L2_MEMORY_DMABUF;
    if (multiPlanar_) {
        buffer.m.planes = planes;
        buffer.length = VIDEO_MAX_PLANES;
    }
    if (const int error = node_.dequeueBuffer(buffer); error != 0) {
        return error;
    }
    done.index = buffer.index;
    done.error = (buffer.flags & V4L2_BUF_FLAG_ERROR) != 0;
    done.job.reset();
    if ((buffer.flags & V4L2_BUF_FLAG_TIMESTAMP_MASK) == V4L2_BUF_FLAG_TIMESTAMP_COPY) {
        done.job = static_cast<uint64_t>(buffer.timestamp.tv_sec) * kMicrosPerSecond +
                   static_cast<uint64_t>(buffer.timestamp.tv_usec);
    }
    return 0;
}

}  // namespace larod::device::v4l2
