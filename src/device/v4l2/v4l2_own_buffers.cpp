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

}  // namespace

OwnBuffers::OwnBuffers(std::unique_ptr<Node> node, bool multiPlanar, Conversion conversion)
    : conversion_(conversion),
      node_(std::move(node)),
      inputQueue_(*node_, Direction::Input, multiPlanar),
      outputQueue_(*node_, Direction::Output, multiPlanar) {}

ImageBuffer OwnBuffers::get(Direction direction, Converter& converter) {
    const std::lock_guard lock(mutex_);
    Buffer& kept = of(direction);
    if (!kept.fd) {
        Buffer made = make(direction);
        converter.attach(direction, made.image);
        kept = std::move(made);
        if (input_.fd && output_.fd) {
            node_.reset();  // the buffers stay
        }
    }
    return kept.image;
}

OwnBuffers::Buffer OwnBuffers::make(Direction direction) {
    if (!formatsSet_) {
        setFormats(inputQueue_, outputQueue_, conversion_);
        formatsSet_ = true;
    }
    Queue& queue = direction == Direction::Input ? inputQueue_ : outputQueue_;
    uint32_t count = 1;
    checkDone(queue.requestBuffers(count, V4L2_MEMORY_MMAP), "allocate");
    Buffer made;
    checkDone(queue.exportBuffer(0, made.fd), "export");
    const size_t bytes = direction == Direction::Input ? conversion_.input.bytes : conversion_.output.bytes;
    made.image = {made.fd.get(), buffer::fileIdentity(made.fd.get())};
    made.mapping = std::make_unique<buffer::Mapping>(made.fd.get(), 0, bytes, buffer::MapAccess::ReadWrite);
    return made;
}

void OwnBuffers::write(std::span<const std::byte> image) {
    buffer::DmaBufSync sync;
    static_cast<void>(sync.begin(input_.fd.get(), buffer::CpuAccess::Write));
    std::memcpy(input_.mapping->bytes().data(), image.data(), std::min(image.size(), input_.mapping->bytes().size()));
    sync.end();
}

void OwnBuffers::read(std::span<std::byte> image, size_t rowBytes) {
    const std::span<const std::byte> from = output_.mapping->bytes().first(image.size());
    const size_t pitch = conversion_.output.pitch;
    buffer::DmaBufSync sync;
    static_cast<void>(sync.begin(output_.fd.get(), buffer::CpuAccess::Read));
    for (size_t row = 0; row < image.size(); row += pitch) {
        std::memcpy(image.data() + row, from.data() + row, rowBytes);
    }
    sync.end();
}

}  // namespace larod::device::v4l2
