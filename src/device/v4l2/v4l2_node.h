// SPDX-License-Identifier: Apache-2.0
// An open V4L2 device node: what the kernel is asked, one function a request. Tests have one that behaves as drivers do
// that no test machine has.
#pragma once

#include <linux/videodev2.h>

#include <cstdint>
#include <memory>
#include <span>

#include "base/unique_fd.h"

namespace larod::device::v4l2 {

// Thread: any; the kernel serialises.
class Node {
  public:
    virtual ~Node() = default;
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;

    // Each gives 0, or the errno. None blocks, but for streamOff() and the end of the object: both wait, beyond the
    // reach of any signal, for a job that the hardware works on.
    [[nodiscard]] virtual int queryCapability(v4l2_capability& capability) = 0;
    [[nodiscard]] virtual int enumFormat(v4l2_fmtdesc& format) = 0;
    [[nodiscard]] virtual int enumFrameSize(v4l2_frmsizeenum& size) = 0;
    [[nodiscard]] virtual int setFormat(v4l2_format& format) = 0;
    [[nodiscard]] virtual int getSelection(v4l2_selection& selection) = 0;
    [[nodiscard]] virtual int setSelection(v4l2_selection& selection) = 0;
    [[nodiscard]] virtual int requestBuffers(v4l2_requestbuffers& request) = 0;
    [[nodiscard]] virtual int exportBuffer(v4l2_exportbuffer& buffer) = 0;
    [[nodiscard]] virtual int queueBuffer(v4l2_buffer& buffer) = 0;
    [[nodiscard]] virtual int dequeueBuffer(v4l2_buffer& buffer) = 0;  // EAGAIN: none is done
    [[nodiscard]] virtual int streamOn(uint32_t type) = 0;
    [[nodiscard]] virtual int streamOff(uint32_t type) = 0;

    // Waits for one of `events` (POLLIN: an image has come out, POLLOUT: one has been read), or POLLERR, for so long at
    // most. What has come; 0 where the time is up.
    [[nodiscard]] virtual short poll(short events, int timeoutMs) = 0;
    [[nodiscard]] virtual uint64_t nowNs() = 0;

  protected:
    Node() = default;
};

// `fd` is open for reading and writing and does not block.
[[nodiscard]] std::unique_ptr<Node> makeNode(UniqueFd fd);

// All requests that a Node makes.
[[nodiscard]] std::span<const unsigned long> nodeRequests() noexcept;

}  // namespace larod::device::v4l2
