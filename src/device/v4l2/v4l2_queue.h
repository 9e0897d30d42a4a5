// SPDX-License-Identifier: Apache-2.0
// One of the two queues of a memory-to-memory device, by the single-planar or the multi-planar interface: the same
// hardware has the one under one kernel and the other under the next.
#pragma once

#include <linux/videodev2.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/tensor_spec.h"
#include "base/unique_fd.h"
#include "device/v4l2/v4l2_format.h"
#include "device/v4l2/v4l2_node.h"

namespace larod::device::v4l2 {

// A buffer that came back.
struct DoneBuffer {
    uint32_t index = 0;
    bool error = false;           // the driver says that its content is not to be used
    std::optional<uint64_t> job;  // the number that was queued, where the driver passes it on
};

// What a driver made of the format that it was asked for.
struct GivenFormat {
    ImageLayout layout;
    uint32_t planes = 1;  // in memory of their own; of more than one, `layout` has the first
    uint32_t encoding = 0;
    uint32_t range = 0;
};

struct OfferedFormat {
    uint32_t fourcc = 0;
    bool compressed = false;
    bool setsColours = false;  // CAPTURE only: converts to the colours that it is told
};

// Refers to the node. Errors are 0 or an errno, as Node's. Thread: as who uses it.
class Queue {
  public:
    // Input images go to the kernel's OUTPUT queue, output images come from its CAPTURE queue.
    Queue(Node& node, Direction direction, bool multiPlanar) noexcept;

    [[nodiscard]] Direction direction() const noexcept { return direction_; }
    [[nodiscard]] uint32_t type() const noexcept { return type_; }

    [[nodiscard]] std::vector<OfferedFormat> formats() const;
    // The sizes of that format, as text, where the driver tells: "32x32 to 640x480".
    [[nodiscard]] std::optional<std::string> sizesText(uint32_t fourcc) const;

    // `fixColours`: the queue is to convert to these colours.
    [[nodiscard]] int setFormat(const ImageLayout& layout, const Colours& colours, bool fixColours, GivenFormat& given);

    // How many buffers there are from now on is in `count`; 0 frees them, and what they refer to.
    [[nodiscard]] int requestBuffers(uint32_t& count, uint32_t memory);
    // A buffer of V4L2_MEMORY_MMAP as a dma-buf.
    [[nodiscard]] int exportBuffer(uint32_t index, UniqueFd& buffer);

    // `fd` is a dma-buf; `bytes` those of the image; `job` comes back with the buffer.
    [[nodiscard]] int queueDmaBuf(uint32_t index, int fd, uint32_t bytes, uint64_t job);
    [[nodiscard]] int dequeueDmaBuf(DoneBuffer& done);

    [[nodiscard]] int streamOn() { return node_.streamOn(type_); }
    // Takes back what is queued. Waits for a running job, uninterruptibly: never while one may run.
    [[nodiscard]] int streamOff() { return node_.streamOff(type_); }

  private:
    Node& node_;
    Direction direction_;
    bool multiPlanar_;
    uint32_t type_;
};

}  // namespace larod::device::v4l2
