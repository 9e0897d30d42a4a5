// SPDX-License-Identifier: Apache-2.0
#include "device/v4l2/v4l2_converter.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>

#include "base/error.h"
#include "base/log.h"

namespace larod::device::v4l2 {
namespace {

constexpr uint64_t kNsPerMs = 1'000'000;

std::pair<dev_t, ino_t> keyOf(const buffer::FileIdentity& identity) noexcept {
    return {identity.device, identity.inode};
}

Window makeWindow(Node& node, Queue& input, Queue& output, const Conversion& conversion, const proc::Crop& crop) {
    setFormats(input, output, conversion);
    Window window(node, conversion.input.width, conversion.input.height, conversion.output.width,
                  conversion.output.height);
    window.set(crop, LAROD_ERROR_LOAD_MODEL);
    return window;
}

}  // namespace

std::string refusedBufferText(int error) {
    if (error == EFAULT) {
        return fmt::format(
            "the driver refuses the dma-buf ({}): hardware without an IOMMU needs contiguous memory, and some reaches "
            "the first 4 GiB only; 'larod --dma-heap' chooses the heap that the service allocates from",
            errnoText(error));
    }
    return fmt::format("the driver refuses the dma-buf: {}", errnoText(error));
}

Converter::Converter(std::unique_ptr<Node> node, bool multiPlanar, const Conversion& conversion, const proc::Crop& crop,
                     uint64_t timeoutMs)
    : node_(std::move(node)),
      input_(*node_, Direction::Input, multiPlanar, conversion.input.bytes),
      output_(*node_, Direction::Output, multiPlanar, conversion.output.bytes),
      timeoutMs_(timeoutMs),
      window_(makeWindow(*node_, input_.queue, output_.queue, conversion, crop)) {
    allocate(input_);
    allocate(output_);
    for (Side* each : {&input_, &output_}) {
        if (const int error = each->queue.streamOn(); error != 0) {
            throw Error(LAROD_ERROR_LOAD_MODEL,
                        "the driver refuses this conversion from {} to {} ({}); perhaps it can't scale so much",
                        layoutText(conversion.input), layoutText(conversion.output), errnoText(error));
        }
    }
}

void Converter::allocate(Side& side) {
    uint32_t count = kMaxSlots;
    if (const int error = side.queue.requestBuffers(count, V4L2_MEMORY_DMABUF); error != 0 || count == 0) {
        throw Error(LAROD_ERROR_LOAD_MODEL, "the driver gives no {} buffers: {}",
                    side.queue.direction() == Direction::Input ? "input" : "output",
                    error != 0 ? errnoText(error) : "there is room for none");
    }
    side.slots.forgetAll(std::min(count, kMaxSlots));
    side.tidy = true;
}

void Converter::attach(Direction direction, const ImageBuffer& buffer) {
    Side& which = side(direction);
    const bool known = which.slots.holds(buffer.identity) && which.users.contains(keyOf(buffer.identity));
    // Tried now, as long as there is another way to go: queued without its counterpart, no job starts. A buffer that
    // fails here does not come to a job, whose failure would be the client's. (PREPARE_BUF would do it too, but what
    // is queued at its index later is then ignored, and not all drivers have it.)
    if (!known && idle() && lost_.empty()) {
        tidyUp();
        if (const int error = queueBuffer(which, buffer, 0); error != 0) {
            if (error == ENODEV) {
                lose("it has been unplugged (ENODEV)");
            }
            tidyUpQuietly();
            throw Error(LAROD_ERROR_FD, "{}", refusedBufferText(error));
        }
        flush(which);
    }
    ++which.users[keyOf(buffer.identity)];
}

void Converter::detach(Direction direction, const buffer::FileIdentity& identity) noexcept {
    Side& which = side(direction);
    const auto user = which.users.find(keyOf(identity));
    if (user == which.users.end() || --user->second > 0) {
        return;
    }
    which.users.erase(user);
    if (!which.slots.holds(identity)) {
        return;
    }
    which.tidy = false;
    if (idle() && lost_.empty()) {
        tidyUpQuietly();
    }
}

// Only freeing the buffers of a queue surely lets go of the dma-bufs that they refer to; those that are still used are
// attached again when they are next queued.
void Converter::tidyUp() {
    for (Side* each : {&input_, &output_}) {
        if (each->tidy) {
            continue;
        }
        uint32_t none = 0;
        int error = each->queue.streamOff();
        error = error != 0 ? error : each->queue.requestBuffers(none, V4L2_MEMORY_DMABUF);
        if (error != 0) {
            lose(fmt::format("its buffers can't be freed: {}", errnoText(error)));
        }
        try {
            allocate(*each);
        } catch (const Error& refused) {
            lose(refused.text());
        }
        if (error = each->queue.streamOn(); error != 0) {
            lose(fmt::format("it can't be started again: {}", errnoText(error)));
        }
    }
}

// Where there is something else to tell.
void Converter::tidyUpQuietly() noexcept {
    try {
        tidyUp();
    } catch (const Error& error) {
        log::error("v4l2-proc: {}", error.text());
    }
}

int Converter::queueBuffer(Side& side, const ImageBuffer& buffer, uint64_t job) {
    side.index = side.slots.indexFor(buffer.identity);
    const int error = side.queue.queueDmaBuf(side.index, buffer.fd.get(), side.bytes, job);
    if (error != 0) {
        side.slots.forget(side.index);
        side.tidy = false;  // some kernels have let go of what was there before, others have not
    }
    return error;
}

// Takes back what is queued without its counterpart, so that no other job gets it.
void Converter::flush(Side& side) {
    int error = side.queue.streamOff();
    error = error != 0 ? error : side.queue.streamOn();
    if (error != 0) {
        lose(error == ENODEV ? "it has been unplugged (ENODEV)"
                             : fmt::format("it can't be stopped and started again: {}", errnoText(error)));
    }
}

void Converter::lose(const std::string& reason) {
    lost_ = reason;
    throw Error(LAROD_ERROR_JOB, "the hardware is lost: {}", lost_);
}

void Converter::checkUsable() {
    if (!lost_.empty()) {
        throw Error(LAROD_ERROR_JOB, "the hardware is lost: {}", lost_);
    }
    if (!hung_) {
        return;
    }
    takeBackPending();
    if (!idle()) {
        throw Error(LAROD_ERROR_JOB, "the hardware still works on an earlier job, which has taken more than {} ms",
                    timeoutMs_);
    }
    hung_ = false;
}

void Converter::run(const proc::Crop& crop, const ImageBuffer& input, const ImageBuffer& output) {
    const uint64_t deadlineNs = node_->nowNs() + timeoutMs_ * kNsPerMs;
    checkUsable();
    tidyUp();
    window_.set(crop, LAROD_ERROR_JOB);
    const uint64_t job = ++lastJob_;
    int error = queueBuffer(input_, input, job);
    if (error == 0) {
        // Nobody waits for it any more, where the driver has kept us waiting: it must not start.
        if (node_->nowNs() >= deadlineNs) {
            flush(input_);
            failLate();
        }
        error = queueBuffer(output_, output, job);
        if (error != 0 && error != ENODEV) {
            flush(input_);
        }
    }
    if (error == ENODEV) {
        lose("it has been unplugged (ENODEV)");
    }
    if (error != 0) {
        tidyUpQuietly();
        throw Error(LAROD_ERROR_JOB, "{}", refusedBufferText(error));
    }
    input_.pending = output_.pending = true;
    await(deadlineNs);
    tidyUpQuietly();
    checkResult(job);
}

void Converter::failLate() const {
    throw Error(LAROD_ERROR_JOB, "the hardware has not answered within {} ms", timeoutMs_);
}

void Converter::await(uint64_t deadlineNs) {
    while (!idle()) {
        const uint64_t now = node_->nowNs();
        if (now >= deadlineNs) {
            hung_ = true;
            failLate();
        }
        const auto events = static_cast<short>((output_.pending ? POLLIN : 0) | (input_.pending ? POLLOUT : 0));
        const short got = node_->poll(events, static_cast<int>((deadlineNs - now + kNsPerMs - 1) / kNsPerMs));
        const bool progress = takeBackPending();
        // Whether the hardware still works then, nobody knows: nothing that waits for it may be called.
        if (!progress && !idle() && (got & (POLLERR | POLLHUP)) != 0) {
            lose("its driver reports an error instead of the images");
        }
    }
}

// Whether a buffer of the running job has come back; never waits.
bool Converter::takeBackPending() {
    bool any = false;
    for (Side* each : {&input_, &output_}) {
        any = (each->pending && takeBack(*each)) || any;
    }
    return any;
}

bool Converter::takeBack(Side& side) {
    const int error = side.queue.dequeueDmaBuf(side.done);
    if (error == EAGAIN) {
        return false;
    }
    if (error != 0) {
        lose(error == ENODEV ? "it has been unplugged (ENODEV)"
                             : fmt::format("its driver does not give back the images: {}", errnoText(error)));
    }
    side.pending = false;
    return true;
}

void Converter::checkResult(uint64_t job) {
    if (input_.done.error || output_.done.error) {
        throw Error(LAROD_ERROR_JOB, "the driver reports that the {} image was not {}",
                    input_.done.error ? "input" : "output", input_.done.error ? "read" : "written");
    }
    const uint64_t came = output_.done.job.value_or(job);
    if (input_.done.index != input_.index || output_.done.index != output_.index || came != job) {
        flush(input_);
        flush(output_);
        throw Error(LAROD_ERROR_JOB, "the driver gave back the images of job {} instead of job {}", came, job);
    }
}

}  // namespace larod::device::v4l2
