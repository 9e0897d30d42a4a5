// SPDX-License-Identifier: Apache-2.0
#include "fake_hardware.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>

namespace larod::device::v4l2 {
namespace {

enum Side : size_t { kIn, kOut };

Side sideOf(uint32_t type) {
    return type == V4L2_BUF_TYPE_VIDEO_OUTPUT || type == V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE ? kIn : kOut;
}

uint32_t rowBytes(uint32_t fourcc, uint32_t width) {
    return fourcc == V4L2_PIX_FMT_RGB24 || fourcc == V4L2_PIX_FMT_BGR24 ? 3 * width : width;
}

struct Image {
    uint32_t fourcc = 0, width = 0, height = 0, pitch = 0, bytes = 0;
};

struct Buffer {
    UniqueFd memory;  // what it is attached to, or its own
    v4l2_buffer queued = {};
};

struct QueueState {
    Image image;
    v4l2_rect window = {};
    std::vector<Buffer> buffers;
    std::deque<uint32_t> queued;
    std::deque<uint32_t> done;
    bool streaming = false;
};

}  // namespace

class FakeHardware::Open final : public Node {
  public:
    explicit Open(FakeHardware& hardware) : hardware_(hardware), traits_(hardware.traits) {}

    ~Open() override {
        auto lock = enter();
        waitForHardware(lock);
        std::erase(hardware_.files, this);
        hardware_.changed.notify_all();
    }

    int queryCapability(v4l2_capability& capability) override {
        const auto lock = enter();
        if (hardware_.unplugged) {
            return ENODEV;
        }
        std::memcpy(capability.driver, "fake", 5);
        std::memcpy(capability.card, "Fake Card", 10);
        std::memcpy(capability.bus_info, "platform:fake", 14);
        const uint32_t usual =
            V4L2_CAP_STREAMING | (traits_.multiPlanar ? V4L2_CAP_VIDEO_M2M_MPLANE : V4L2_CAP_VIDEO_M2M);
        capability.device_caps = traits_.deviceCaps != 0 ? traits_.deviceCaps : usual;
        // All nodes of the hardware together can more.
        capability.capabilities = V4L2_CAP_DEVICE_CAPS | V4L2_CAP_VIDEO_M2M | V4L2_CAP_STREAMING;
        return 0;
    }

    int enumFormat(v4l2_fmtdesc& format) override {
        const auto lock = enter();
        if (!rightType(format.type)) {
            return EINVAL;
        }
        const auto& formats = sideOf(format.type) == kIn ? traits_.inputFormats : traits_.outputFormats;
        if (format.index >= formats.size()) {
            return EINVAL;
        }
        format.pixelformat = formats[format.index].fourcc;
        format.flags = formats[format.index].flags;
        return 0;
    }

    int enumFrameSize(v4l2_frmsizeenum& size) override {
        const auto lock = enter();
        if (!traits_.tellsSizes || size.index != 0) {
            return traits_.tellsSizes ? EINVAL : ENOTTY;
        }
        size.type = V4L2_FRMSIZE_TYPE_STEPWISE;
        size.stepwise = {traits_.minWidth,  traits_.maxWidth,  traits_.widthMultiple,
                         traits_.minHeight, traits_.maxHeight, 1};
        return 0;
    }

    int setFormat(v4l2_format& format) override {
        const auto lock = enter();
        if (!rightType(format.type)) {
            return EINVAL;
        }
        QueueState& queue = queues_[sideOf(format.type)];
        if (!queue.buffers.empty()) {
            return EBUSY;
        }
        if (traits_.multiPlanar) {
            v4l2_pix_format_mplane& pixels = format.fmt.pix_mp;
            fit(queue, sideOf(format.type), pixels.pixelformat, pixels.width, pixels.height,
                pixels.plane_fmt[0].bytesperline);
            pixels.pixelformat = queue.image.fourcc;
            pixels.width = queue.image.width;
            pixels.height = queue.image.height;
            pixels.plane_fmt[0].bytesperline = queue.image.pitch;
            pixels.plane_fmt[0].sizeimage = queue.image.bytes;
            pixels.num_planes = static_cast<uint8_t>(traits_.planes);
            pixels.quantization = traits_.keepsColours ? pixels.quantization : uint8_t{0};
        } else {
            v4l2_pix_format& pixels = format.fmt.pix;
            fit(queue, sideOf(format.type), pixels.pixelformat, pixels.width, pixels.height, pixels.bytesperline);
            const bool extended = pixels.priv == V4L2_PIX_FMT_PRIV_MAGIC && traits_.keepsColours;
            pixels.pixelformat = queue.image.fourcc;
            pixels.width = queue.image.width;
            pixels.height = queue.image.height;
            pixels.bytesperline = queue.image.pitch;
            pixels.sizeimage = queue.image.bytes;
            pixels.ycbcr_enc = extended ? pixels.ycbcr_enc : 0;
            pixels.quantization = extended ? pixels.quantization : 0;
        }
        // Setting the input's format resets the output's.
        if (sideOf(format.type) == kIn) {
            queues_[kOut].image = queue.image;
            queues_[kOut].window = queue.window;
        }
        return 0;
    }

    int getSelection(v4l2_selection& selection) override {
        const auto lock = enter();
        v4l2_rect* const window = windowOf(selection);
        if (window == nullptr) {
            return traits_.windows == Windows::None ? ENOTTY : EINVAL;
        }
        selection.r = *window;
        return 0;
    }

    int setSelection(v4l2_selection& selection) override {
        const auto lock = enter();
        hardware_.requests.emplace_back("S_SELECTION");
        v4l2_rect* const window = windowOf(selection);
        if (window == nullptr) {
            return traits_.windows == Windows::None ? ENOTTY : EINVAL;
        }
        if (traits_.windows == Windows::FromOrigin) {
            selection.r.left = selection.r.top = 0;
        }
        *window = selection.r;
        return 0;
    }

    int requestBuffers(v4l2_requestbuffers& request) override {
        const auto lock = enter();
        hardware_.requests.emplace_back("REQBUFS");
        const Side side = sideOf(request.type);
        if (!rightType(request.type)) {
            return EINVAL;
        }
        if (request.memory == V4L2_MEMORY_DMABUF && !(side == kIn ? traits_.inputDmaBufs : traits_.outputDmaBufs)) {
            return EINVAL;
        }
        QueueState& queue = queues_[side];
        if (queue.streaming) {
            return EBUSY;
        }
        queue.buffers.clear();
        request.count = std::min(request.count, traits_.maxBuffers);
        queue.buffers.resize(request.count);
        if (request.memory == V4L2_MEMORY_MMAP) {
            for (Buffer& buffer : queue.buffers) {
                buffer.memory = makeMemory(queue.image.bytes);
            }
        }
        return 0;
    }

    int exportBuffer(v4l2_exportbuffer& buffer) override {
        const auto lock = enter();
        QueueState& queue = queues_[sideOf(buffer.type)];
        if (buffer.index >= queue.buffers.size()) {
            return EINVAL;
        }
        buffer.fd = ::fcntl(queue.buffers[buffer.index].memory.get(), F_DUPFD_CLOEXEC, 0);
        return 0;
    }

    int queueBuffer(v4l2_buffer& buffer) override {
        const auto lock = enter();
        const Side side = sideOf(buffer.type);
        hardware_.requests.emplace_back(side == kIn ? "QBUF in" : "QBUF out");
        QueueState& queue = queues_[side];
        if (hardware_.unplugged) {
            return ENODEV;
        }
        if (!rightType(buffer.type) || buffer.index >= queue.buffers.size() || buffer.memory != V4L2_MEMORY_DMABUF) {
            return EINVAL;
        }
        const int fd = traits_.multiPlanar ? buffer.m.planes[0].m.fd : buffer.m.fd;
        const uint32_t used = traits_.multiPlanar ? buffer.m.planes[0].bytesused : buffer.bytesused;
        int error = side == kIn ? hardware_.refuseInput : hardware_.refuseOutput;
        if (error == 0 && buffer::fileStatus(fd).length < queue.image.bytes) {
            error = EINVAL;
        }
        if (error == 0 && side == kIn && used > queue.image.bytes) {
            error = EINVAL;
        }
        Buffer& slot = queue.buffers[buffer.index];
        if (error != 0) {
            if (traits_.letsGoOnError) {
                slot.memory.reset();
            }
            return error;
        }
        slot.memory.reset(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
        slot.queued = buffer;
        queue.queued.push_back(buffer.index);
        start();
        return 0;
    }

    int dequeueBuffer(v4l2_buffer& buffer) override {
        const auto lock = enter();
        const Side side = sideOf(buffer.type);
        QueueState& queue = queues_[side];
        if (hardware_.unplugged) {
            return ENODEV;
        }
        if (queue.done.empty()) {
            return EAGAIN;
        }
        const uint32_t index = queue.done.front();
        queue.done.pop_front();
        buffer.index = index;
        buffer.flags = traits_.copiesTimestamp ? V4L2_BUF_FLAG_TIMESTAMP_COPY : V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
        buffer.timestamp = queue.buffers[index].queued.timestamp;
        if (hardware_.errorFlag[side]) {
            buffer.flags |= V4L2_BUF_FLAG_ERROR;
        }
        return 0;
    }

    int streamOn(uint32_t type) override {
        const auto lock = enter();
        hardware_.requests.emplace_back("STREAMON");
        queues_[sideOf(type)].streaming = traits_.streamOnError == 0;
        return traits_.streamOnError;
    }

    int streamOff(uint32_t type) override {
        auto lock = enter();
        hardware_.requests.emplace_back("STREAMOFF");
        waitForHardware(lock);
        QueueState& queue = queues_[sideOf(type)];
        queue.streaming = false;
        queue.queued.clear();  // without an error flag
        queue.done.clear();
        return hardware_.unplugged ? ENODEV : 0;
    }

    short poll(short events, int timeoutMs) override {
        const auto lock = enter();
        if (hardware_.unplugAtPoll) {
            hardware_.unplugged = true;
        }
        if (hardware_.unplugged || hardware_.swallow) {
            return POLLERR;
        }
        short got = 0;
        if (!queues_[kOut].done.empty()) {
            got |= POLLIN;
        }
        if (!queues_[kIn].done.empty()) {
            got |= POLLOUT;
        }
        if (got == 0 && !running_) {
            return POLLERR;  // as an idle device does, for ever
        }
        got = static_cast<short>(got & events);
        if (got == 0) {
            hardware_.nowNs += static_cast<uint64_t>(timeoutMs) * 1'000'000;
        }
        return got;
    }

    uint64_t nowNs() override {
        const std::lock_guard lock(hardware_.mutex);
        return hardware_.nowNs;
    }

    // The mutex is held.
    void finish() {
        if (!running_) {
            return;
        }
        running_ = false;
        QueueState& in = queues_[kIn];
        QueueState& out = queues_[kOut];
        const Buffer& from = in.buffers[in.queued.front()];
        const Buffer& to = out.buffers[out.queued.front()];
        hardware_.jobs.push_back({inodeOf(from.memory.get()), inodeOf(to.memory.get()), in.window});
        if (in.image.fourcc == V4L2_PIX_FMT_RGB24 && out.image.fourcc == V4L2_PIX_FMT_RGB24) {
            convert(from.memory.get(), to.memory.get());
        }
        if (traits_.copiesTimestamp) {
            out.buffers[out.queued.front()].queued.timestamp = from.queued.timestamp;
        }
        in.done.push_back(in.queued.front());
        out.done.push_back(out.queued.front());
        in.queued.pop_front();
        out.queued.pop_front();
    }

    void addHeld(std::vector<ino_t>& inodes) const {
        for (const QueueState& queue : queues_) {
            for (const Buffer& buffer : queue.buffers) {
                if (buffer.memory) {
                    inodes.push_back(inodeOf(buffer.memory.get()));
                }
            }
        }
    }

  private:
    // As a driver takes its lock. The user's own thread is not made to wait, but told on.
    [[nodiscard]] std::unique_lock<std::mutex> enter() const {
        std::unique_lock lock(hardware_.mutex);
        if (std::this_thread::get_id() == hardware_.user) {
            hardware_.userCalled = true;
        } else {
            hardware_.changed.wait(lock, [this] { return !hardware_.locked; });
        }
        return lock;
    }

    [[nodiscard]] bool rightType(uint32_t type) const {
        const bool planes = type == V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE || type == V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE;
        return planes == traits_.multiPlanar;
    }

    void fit(QueueState& queue, Side side, uint32_t fourcc, uint32_t width, uint32_t height, uint32_t pitch) const {
        const auto& formats = side == kIn ? traits_.inputFormats : traits_.outputFormats;
        const bool known = std::ranges::any_of(formats, [&](const FakeFormat& each) { return each.fourcc == fourcc; });
        Image& image = queue.image;
        image.fourcc = known ? fourcc : formats.front().fourcc;
        image.width = std::clamp(width, traits_.minWidth, traits_.maxWidth) / traits_.widthMultiple;
        image.width *= traits_.widthMultiple;
        image.height = std::clamp(height, traits_.minHeight, traits_.maxHeight);
        const uint32_t row = rowBytes(image.fourcc, image.width);
        image.pitch = traits_.keepsPitch ? std::max(pitch, row) : row;
        image.pitch = (image.pitch + traits_.pitchMultiple - 1) / traits_.pitchMultiple * traits_.pitchMultiple;
        image.bytes = image.pitch * image.height + traits_.extraBytes;
        if (image.fourcc == V4L2_PIX_FMT_NV12) {
            image.bytes += image.pitch * image.height / 2;
        }
        queue.window = {0, 0, image.width, image.height};
    }

    v4l2_rect* windowOf(const v4l2_selection& selection) {
        const bool crop = selection.target == V4L2_SEL_TGT_CROP;
        switch (traits_.windows) {
            case Windows::None:
                return nullptr;
            case Windows::Swapped:
                return &queues_[crop ? kOut : kIn].window;
            case Windows::IgnoresType:
                return &queues_[crop ? kIn : kOut].window;
            case Windows::Usual:
            case Windows::FromOrigin:
                break;
        }
        const Side side = sideOf(selection.type);
        return crop == (side == kIn) ? &queues_[side].window : nullptr;
    }

    void start() {
        for (const QueueState& queue : queues_) {
            if (!queue.streaming || queue.queued.empty()) {
                return;
            }
        }
        running_ = true;
        if (!hardware_.hang) {
            finish();
        }
    }

    // As the kernel does in STREAMOFF and close. The user's own thread is not made to wait, but told on.
    void waitForHardware(std::unique_lock<std::mutex>& lock) {
        if (running_ && std::this_thread::get_id() == hardware_.user) {
            hardware_.userWaited = true;
            return;
        }
        hardware_.changed.wait(lock, [this] { return !running_; });
    }

    // The nearest pixels.
    void convert(int from, int to) const {
        const Image& in = queues_[kIn].image;
        const Image& out = queues_[kOut].image;
        const v4l2_rect& window = queues_[kIn].window;
        std::vector<uint8_t> input(in.bytes);
        std::vector<uint8_t> output(out.bytes, 0xEE);  // hardware may write between the rows
        (void)!::pread(from, input.data(), input.size(), 0);
        for (uint32_t y = 0; y < out.height; ++y) {
            for (uint32_t x = 0; x < out.width; ++x) {
                const uint32_t inY = static_cast<uint32_t>(window.top) + y * window.height / out.height;
                const uint32_t inX = static_cast<uint32_t>(window.left) + x * window.width / out.width;
                std::copy_n(input.begin() + inY * in.pitch + inX * 3, 3, output.begin() + y * out.pitch + x * 3);
            }
        }
        (void)!::pwrite(to, output.data(), output.size(), 0);
    }

    FakeHardware& hardware_;
    const FakeTraits& traits_;
    QueueState queues_[2];
    bool running_ = false;
};

std::unique_ptr<Node> FakeHardware::open() {
    auto node = std::make_unique<Open>(*this);
    const std::lock_guard lock(mutex);
    ++opens;
    files.push_back(node.get());
    return node;
}

void FakeHardware::answer() {
    const std::lock_guard lock(mutex);
    for (Open* file : files) {
        file->finish();
    }
    changed.notify_all();
}

void FakeHardware::lock() {
    const std::lock_guard guard(mutex);
    locked = true;
}

void FakeHardware::unlock(uint64_t afterMs) {
    const std::lock_guard guard(mutex);
    locked = false;
    nowNs += afterMs * 1'000'000;
    changed.notify_all();
}

void FakeHardware::waitForAllToClose() {
    std::unique_lock guard(mutex);
    changed.wait(guard, [this] { return files.empty(); });
}

std::vector<ino_t> FakeHardware::held() {
    const std::lock_guard lock(mutex);
    std::vector<ino_t> inodes;
    for (const Open* file : files) {
        file->addHeld(inodes);
    }
    return inodes;
}

UniqueFd makeMemory(size_t bytes) {
    UniqueFd fd(::memfd_create("image", MFD_CLOEXEC));
    (void)!::ftruncate(fd.get(), static_cast<off_t>(bytes));
    return fd;
}

ino_t inodeOf(int fd) {
    struct stat status = {};
    ::fstat(fd, &status);
    return status.st_ino;
}

}  // namespace larod::device::v4l2
