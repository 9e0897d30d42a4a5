// SPDX-License-Identifier: Apache-2.0
// Buffers of the hardware's own, for tensors that are no dma-bufs of its liking: the CPU copies.
#pragma once

#include <memory>
#include <mutex>
#include <span>

#include "buffer/mapping.h"
#include "device/v4l2/v4l2_converter.h"

namespace larod::device::v4l2 {

// One image for each direction, made when it is first needed. From the driver itself, so that the hardware can use
// their memory whatever it needs; by an open file of their own, since that of the jobs has buffers of another kind.
// Thread: any.
class OwnBuffers {
  public:
    OwnBuffers(std::unique_ptr<Node> node, bool multiPlanar, Conversion conversion);

    // The buffer, attached to `converter`, which outlives nothing of it. Throws Error(LAROD_ERROR_ALLOC).
    [[nodiscard]] ImageBuffer get(Direction direction, Converter& converter);

    // With the dma-buf's bracket around the copy. Throws Error.
    void write(std::span<const std::byte> image);
    // Rows of `rowBytes`; what is between them in `image` stays.
    void read(std::span<std::byte> image, size_t rowBytes);

  private:
    struct Buffer {
        UniqueFd fd;
        ImageBuffer image;
        std::unique_ptr<buffer::Mapping> mapping;
    };
    [[nodiscard]] Buffer make(Direction direction);
    [[nodiscard]] Buffer& of(Direction direction) noexcept { return direction == Direction::Input ? input_ : output_; }

    const Conversion conversion_;
    std::mutex mutex_;            // guards the making
    std::unique_ptr<Node> node_;  // nullptr as soon as both are made
    Queue inputQueue_;
    Queue outputQueue_;
    bool formatsSet_ = false;
    Buffer input_;
    Buffer output_;
};

}  // namespace larod::device::v4l2
