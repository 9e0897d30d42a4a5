// SPDX-License-Identifier: Apache-2.0
#include "device/v4l2/v4l2_own_buffers.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "buffer/dma_buf_sync.h"

namespace larod::device::v4l2 {
namespace {

void checkDone(int error, const char* what) {
    if (error != 0) {
        throw Error(LAROD_ERROR_ALLOC, "the driver can't {} a buffer of its own: {}", what, errnoText(error));
    }
}

ImageBuffer adopt(UniqueFd fd) {
    const buffer::FileIdentity identity = buffer::fileIdentity(fd.get());
    return {std::move(fd), identity};
}

}  // namespace

OwnBuffer::OwnBuffer(UniqueFd fd, size_t bytes)
    : image_(std::make_shared<const ImageBuffer>(adopt(std::move(fd)))),
      mapping_(image_->fd.get(), 0, bytes, buffer::MapAccess::ReadWrite) {}

void OwnBuffer::write(std::span<const std::byte> image) {
    buffer::DmaBufSync sync;
    static_cast<void>(sync.begin(image_->fd.get(), buffer::CpuAccess::Write));
    std::memcpy(mapping_.bytes().data(), image.data(), std::min(image.size(), mapping_.bytes().size()));
    sync.end();
}

void OwnBuffer::read(std::span<std::byte> image, size_t rowBytes, size_t pitch) {
    const std::span<const std::byte> from = mapping_.bytes().first(image.size());
    buffer::DmaBufSync sync;
    static_cast<void>(sync.begin(image_->fd.get(), buffer::CpuAccess::Read));
    for (size_t row = 0; row < image.size(); row += pitch) {
        std::memcpy(image.data() + row, from.data() + row, rowBytes);
    }
    sync.end();
}

OwnBuffers::OwnBuffers(std::unique_ptr<Node> node, bool multiPlanar, Conversion conversion)
    : conversion_(conversion),
      node_(std::move(node)),
      inputQueue_(*node_, Direction::Input, multiPlanar),
      outputQueue_(*node_, Direction::Output, multiPlanar) {}

std::shared_ptr<OwnBuffer> OwnBuffers::get(Direction direction, Converter& converter) {
    std::shared_ptr<OwnBuffer>& kept = direction == Direction::Input ? input_ : output_;
    if (!kept) {
        auto made = make(direction);
        converter.attach(direction, *made->image());
        kept = std::move(made);
        if (input_ && output_) {
            node_.reset();  // the buffers stay
        }
    }
    return kept;
}

std::shared_ptr<OwnBuffer> OwnBuffers::make(Direction direction) {
    if (!formatsSet_) {
        setFormats(inputQueue_, outputQueue_, conversion_);
        formatsSet_ = true;
    }
    Queue& queue = direction == Direction::Input ? inputQueue_ : outputQueue_;
    uint32_t count = 1;
    checkDone(queue.requestBuffers(count, V4L2_MEMORY_MMAP), "allocate");
    UniqueFd fd;
    checkDone(queue.exportBuffer(0, fd), "export");
    return std::make_shared<OwnBuffer>(
        std::move(fd), direction == Direction::Input ? conversion_.input.bytes : conversion_.output.bytes);
}

}  // namespace larod::device::v4l2
