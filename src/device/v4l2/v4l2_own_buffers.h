// SPDX-License-Identifier: Apache-2.0
// Buffers of the hardware's own, for tensors that are no dma-bufs of its liking: the CPU copies.
#pragma once

#include <memory>
#include <span>

#include "buffer/mapping.h"
#include "device/v4l2/v4l2_converter.h"

namespace larod::device::v4l2 {

// An image of the driver's, mapped. Its file stays when the node is closed. Thread: one at a time.
class OwnBuffer {
  public:
    // `fd` is a dma-buf with an image of `bytes` at its beginning.
    OwnBuffer(UniqueFd fd, size_t bytes);

    [[nodiscard]] const std::shared_ptr<const ImageBuffer>& image() const noexcept { return image_; }

    // The CPU's access, with the dma-buf's bracket around it. Throws Error.
    void write(std::span<const std::byte> image);
    // Rows of `rowBytes`, so far apart; what is between them in `image` stays.
    void read(std::span<std::byte> image, size_t rowBytes, size_t pitch);

  private:
    const std::shared_ptr<const ImageBuffer> image_;
    const buffer::Mapping mapping_;
};

// One image for each direction, made when it is first needed. From the driver itself, so that the hardware can use
// their memory whatever it needs; by an open file of their own, since that of the jobs has buffers of another kind.
// Thread: that of the converter.
class OwnBuffers {
  public:
    OwnBuffers(std::unique_ptr<Node> node, bool multiPlanar, Conversion conversion);

    // The buffer, attached to `converter` once and for all. Throws Error(LAROD_ERROR_ALLOC).
    [[nodiscard]] std::shared_ptr<OwnBuffer> get(Direction direction, Converter& converter);

  private:
    [[nodiscard]] std::shared_ptr<OwnBuffer> make(Direction direction);

    const Conversion conversion_;
    std::unique_ptr<Node> node_;  // nullptr as soon as both are made
    Queue inputQueue_;
    Queue outputQueue_;
    bool formatsSet_ = false;
    std::shared_ptr<OwnBuffer> input_;
    std::shared_ptr<OwnBuffer> output_;
};

}  // namespace larod::device::v4l2
