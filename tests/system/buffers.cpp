// SPDX-License-Identifier: Apache-2.0
#include "system/buffers.h"

#include <fcntl.h>
#include <libdrm/drm.h>
#include <libdrm/drm_mode.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>
#include <linux/videodev2.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "buffer/dma_buf_sync.h"
#include "buffer/mapping.h"

namespace larod::test {
namespace {

constexpr size_t kPage = 4096;

// The requests of vgem, for which there is no header.
struct VgemFenceAttach {
    uint32_t handle;
    uint32_t flags;
    uint32_t fence;  // out
    uint32_t pad;
};
struct VgemFenceSignal {
    uint32_t fence;
    uint32_t flags;
};
constexpr uint32_t kVgemFenceWrite = 1;
constexpr unsigned long kVgemFenceAttach = DRM_IOWR(DRM_COMMAND_BASE + 1, VgemFenceAttach);
constexpr unsigned long kVgemFenceSignal = DRM_IOW(DRM_COMMAND_BASE + 2, VgemFenceSignal);

size_t roundUp(size_t bytes) {
    return (bytes + kPage - 1) / kPage * kPage;
}

template <typename Argument>
int request(const UniqueFd& node, const char* what, unsigned long number, Argument* argument) {
    const int result = ::ioctl(node.get(), number, argument);
    if (result < 0) {
        throw std::runtime_error(std::string(what) + ": " + std::strerror(errno));
    }
    return result;
}

UniqueFd openNode(const std::string& path) {
    UniqueFd node(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    if (!node) {
        throw std::runtime_error(path + ": " + std::strerror(errno));
    }
    return node;
}

UniqueFd makeMemoryFile(size_t bytes) {
    UniqueFd file(::memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (::ftruncate(file.get(), static_cast<off_t>(roundUp(bytes))) != 0) {
        throw std::runtime_error("no memory file");
    }
    return file;
}

UniqueFd makeUdmabuf(size_t bytes) {
    const UniqueFd node = openNode("/dev/udmabuf");
    const UniqueFd memory = makeMemoryFile(bytes);
    ::fcntl(memory.get(), F_ADD_SEALS, F_SEAL_SHRINK);
    udmabuf_create create = {};
    create.memfd = static_cast<uint32_t>(memory.get());
    create.flags = UDMABUF_FLAGS_CLOEXEC;
    create.size = roundUp(bytes);
    return UniqueFd(request(node, "UDMABUF_CREATE", UDMABUF_CREATE, &create));
}

UniqueFd makeHeapBuffer(size_t bytes) {
    const UniqueFd node = openNode("/dev/dma_heap/system");
    dma_heap_allocation_data data = {};
    data.len = roundUp(bytes);
    data.fd_flags = O_RDWR | O_CLOEXEC;
    request(node, "DMA_HEAP_IOCTL_ALLOC", DMA_HEAP_IOCTL_ALLOC, &data);
    return UniqueFd(static_cast<int>(data.fd));
}

uint32_t makeDumbBuffer(const UniqueFd& card, size_t bytes) {
    drm_mode_create_dumb create = {};
    create.width = static_cast<uint32_t>(kPage);
    create.height = static_cast<uint32_t>(roundUp(bytes) / kPage);
    create.bpp = 8;
    request(card, "DRM_IOCTL_MODE_CREATE_DUMB", DRM_IOCTL_MODE_CREATE_DUMB, &create);
    return create.handle;
}

UniqueFd exportHandle(const UniqueFd& card, uint32_t handle) {
    drm_prime_handle prime = {};
    prime.handle = handle;
    prime.flags = DRM_CLOEXEC | DRM_RDWR;
    request(card, "DRM_IOCTL_PRIME_HANDLE_TO_FD", DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime);
    return UniqueFd(prime.fd);
}

UniqueFd makeCameraBuffer(size_t bytes) {
    const UniqueFd camera = openNode(videoNode("vivid"));
    v4l2_format format = {};
    format.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
    format.fmt.pix.width = 3840;
    format.fmt.pix.height = 2160;
    format.fmt.pix.pixelformat = V4L2_PIX_FMT_RGB24;
    format.fmt.pix.field = V4L2_FIELD_NONE;
    if (bytes <= size_t{640} * 360 * 3) {
        format.fmt.pix.width = 640;
        format.fmt.pix.height = 360;
    }
    request(camera, "VIDIOC_S_FMT", VIDIOC_S_FMT, &format);
    if (format.fmt.pix.sizeimage < bytes) {
        throw std::runtime_error("vivid: a frame has " + std::to_string(format.fmt.pix.sizeimage) + " bytes, " +
                                 std::to_string(bytes) + " are needed");
    }
    v4l2_requestbuffers buffers = {};
    buffers.count = 1;
    buffers.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
    buffers.memory = V4L2_MEMORY_MMAP;
    request(camera, "VIDIOC_REQBUFS", VIDIOC_REQBUFS, &buffers);
    v4l2_exportbuffer exported = {};
    exported.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
    exported.flags = O_RDWR | O_CLOEXEC;
    request(camera, "VIDIOC_EXPBUF", VIDIOC_EXPBUF, &exported);
    return UniqueFd(exported.fd);
}

}  // namespace

const char* name(Exporter exporter) {
    switch (exporter) {
        case Exporter::MemoryFile:
            return "MemoryFile";
        case Exporter::Udmabuf:
            return "Udmabuf";
        case Exporter::Heap:
            return "Heap";
        case Exporter::Vgem:
            return "Vgem";
        case Exporter::Vivid:
            return "Vivid";
    }
    return "";
}

UniqueFd makeBuffer(Exporter exporter, size_t bytes) {
    switch (exporter) {
        case Exporter::Udmabuf:
            return makeUdmabuf(bytes);
        case Exporter::Heap:
            return makeHeapBuffer(bytes);
        case Exporter::Vgem: {
            const UniqueFd card = openNode("/dev/dri/card0");
            return exportHandle(card, makeDumbBuffer(card, bytes));
        }
        case Exporter::Vivid:
            return makeCameraBuffer(bytes);
        case Exporter::MemoryFile:
            break;
    }
    return makeMemoryFile(bytes);
}

std::string videoNode(const std::string& driver) {
    for (const auto& entry : std::filesystem::directory_iterator("/dev")) {
        if (entry.path().filename().string().rfind("video", 0) != 0) {
            continue;
        }
        const UniqueFd node(::open(entry.path().c_str(), O_RDWR | O_CLOEXEC));
        v4l2_capability capability = {};
        if (node && ::ioctl(node.get(), VIDIOC_QUERYCAP, &capability) == 0 &&
            driver == reinterpret_cast<const char*>(capability.driver)) {
            return entry.path();
        }
    }
    throw std::runtime_error("no /dev/video* is of the driver " + driver);
}

void writeBuffer(int fd, size_t offset, std::span<const uint8_t> data) {
    const buffer::Mapping mapping(fd, offset, data.size(), buffer::MapAccess::ReadWrite);
    buffer::DmaBufSync sync;
    static_cast<void>(sync.begin(fd, buffer::CpuAccess::Write));
    std::memcpy(mapping.bytes().data(), data.data(), data.size());
    sync.end();
}

std::vector<uint8_t> readBuffer(int fd, size_t offset, size_t bytes) {
    const buffer::Mapping mapping(fd, offset, bytes, buffer::MapAccess::Read);
    buffer::DmaBufSync sync;
    static_cast<void>(sync.begin(fd, buffer::CpuAccess::Read));
    const auto* data = reinterpret_cast<const uint8_t*>(mapping.bytes().data());
    std::vector<uint8_t> copy(data, data + bytes);
    sync.end();
    return copy;
}

uint64_t dmaBufBytes() {
    std::ifstream file("/sys/kernel/debug/dma_buf/bufinfo");
    std::string line;
    while (std::getline(file, line)) {
        unsigned objects = 0;
        unsigned long long bytes = 0;
        if (std::sscanf(line.c_str(), "Total %u objects, %llu bytes", &objects, &bytes) == 2) {
            return bytes;
        }
    }
    throw std::runtime_error("/sys/kernel/debug/dma_buf/bufinfo has no total");
}

// A buffer of vgem with the fence, from which it is put on others.
struct Fence::Card {
    UniqueFd node = openNode("/dev/dri/card0");
    uint32_t handle = makeDumbBuffer(node, kPage);
    UniqueFd buffer = exportHandle(node, handle);
    uint32_t fence = 0;
};

Fence::Fence() : card_(std::make_unique<Card>()) {}

Fence::~Fence() {
    signal();
}

void Fence::putOn(int dmaBuf, Use use) {
    VgemFenceAttach attach = {};
    attach.handle = card_->handle;
    attach.flags = kVgemFenceWrite;
    request(card_->node, "DRM_IOCTL_VGEM_FENCE_ATTACH", kVgemFenceAttach, &attach);
    card_->fence = attach.fence;
    dma_buf_export_sync_file exported = {};
    exported.flags = DMA_BUF_SYNC_RW;
    request(card_->buffer, "DMA_BUF_IOCTL_EXPORT_SYNC_FILE", DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &exported);
    const UniqueFd file(exported.fd);
    dma_buf_import_sync_file imported = {};
    imported.flags = use == Use::Write ? DMA_BUF_SYNC_WRITE : DMA_BUF_SYNC_READ;
    imported.fd = file.get();
    if (::ioctl(dmaBuf, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &imported) != 0) {
        throw std::runtime_error(std::string("DMA_BUF_IOCTL_IMPORT_SYNC_FILE: ") + std::strerror(errno));
    }
}

void Fence::signal() {
    if (card_->fence != 0) {
        VgemFenceSignal signalled = {card_->fence, 0};
        card_->fence = 0;
        ::ioctl(card_->node.get(), kVgemFenceSignal, &signalled);
    }
}

}  // namespace larod::test
