// SPDX-License-Identifier: Apache-2.0
#include "device/v4l2/v4l2_node.h"

#include <poll.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <utility>

#include "base/monotonic_time.h"

namespace larod::device::v4l2 {
namespace {

constexpr unsigned long kRequests[] = {
    VIDIOC_QUERYCAP,    VIDIOC_ENUM_FMT,    VIDIOC_ENUM_FRAMESIZES, VIDIOC_S_FMT,
    VIDIOC_G_SELECTION, VIDIOC_S_SELECTION, VIDIOC_REQBUFS,         VIDIOC_EXPBUF,
    VIDIOC_QBUF,        VIDIOC_DQBUF,       VIDIOC_STREAMON,        VIDIOC_STREAMOFF,
};

class KernelNode final : public Node {
  public:
    explicit KernelNode(UniqueFd fd) : fd_(std::move(fd)) {}

    int queryCapability(v4l2_capability& capability) override { return request(VIDIOC_QUERYCAP, &capability); }
    int enumFormat(v4l2_fmtdesc& format) override { return request(VIDIOC_ENUM_FMT, &format); }
    int enumFrameSize(v4l2_frmsizeenum& size) override { return request(VIDIOC_ENUM_FRAMESIZES, &size); }
    int setFormat(v4l2_format& format) override { return request(VIDIOC_S_FMT, &format); }
    int getSelection(v4l2_selection& selection) override { return request(VIDIOC_G_SELECTION, &selection); }
    int setSelection(v4l2_selection& selection) override { return request(VIDIOC_S_SELECTION, &selection); }
    int requestBuffers(v4l2_requestbuffers& wanted) override { return request(VIDIOC_REQBUFS, &wanted); }
    int exportBuffer(v4l2_exportbuffer& buffer) override { return request(VIDIOC_EXPBUF, &buffer); }
    int queueBuffer(v4l2_buffer& buffer) override { return request(VIDIOC_QBUF, &buffer); }
    int dequeueBuffer(v4l2_buffer& buffer) override { return request(VIDIOC_DQBUF, &buffer); }
    int streamOn(uint32_t type) override { return request(VIDIOC_STREAMON, &type); }
    int streamOff(uint32_t type) override { return request(VIDIOC_STREAMOFF, &type); }

    short poll(short events, int timeoutMs) override {
        pollfd fd = {fd_.get(), events, 0};
        return ::poll(&fd, 1, timeoutMs) > 0 ? fd.revents : short{0};
    }

    uint64_t nowNs() override { return monotonicNs(); }

  private:
    template <typename Argument>
    int request(unsigned long number, Argument* argument) noexcept {
        while (::ioctl(fd_.get(), number, argument) != 0) {
            if (errno != EINTR) {
                return errno;
            }
        }
        return 0;
    }

    UniqueFd fd_;
};

}  // namespace

std::unique_ptr<Node> makeNode(UniqueFd fd) {
    return std::make_unique<KernelNode>(std::move(fd));
}

std::span<const unsigned long> nodeRequests() noexcept {
    return kRequests;
}

}  // namespace larod::device::v4l2
