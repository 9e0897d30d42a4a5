// SPDX-License-Identifier: Apache-2.0
// One open file of a converter: one loaded model. Its formats, buffers and windows are its own; the kernel runs the
// jobs of all files of the hardware one at a time, those of other programs, too.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/unique_fd.h"
#include "buffer/file_identity.h"
#include "device/v4l2/v4l2_setup.h"
#include "device/v4l2/v4l2_slots.h"
#include "device/v4l2/v4l2_window.h"

namespace larod::device::v4l2 {

// A dma-buf with an image at its beginning.
struct ImageBuffer {
    UniqueFd fd;
    buffer::FileIdentity identity;
};

// Indices of a queue that dma-bufs are kept at; the kernel's own limit. Each pins the memory of a client.
inline constexpr uint32_t kMaxSlots = 32;

// Thread: one, which can wait for the hardware (DriverThread), but for cropRefusal().
//
// One job is in flight at a time: the window counts when a job starts, and what is left of a job that was queued by
// half would become another client's. A job that the hardware does not end in time leaves the model *hung*: nothing
// that waits for the hardware is called then, and jobs fail at once until it has answered.
class Converter {
  public:
    // Throws Error(LAROD_ERROR_LOAD_MODEL) where the hardware does not do exactly this conversion.
    Converter(std::unique_ptr<Node> node, bool multiPlanar, const Conversion& conversion, const proc::Crop& crop,
              uint64_t timeoutMs);
    Converter(const Converter&) = delete;
    Converter& operator=(const Converter&) = delete;

    // Makes the buffer known to the kernel, and counts a user of it. Throws Error(LAROD_ERROR_FD) where the hardware
    // can't use it.
    void attach(Direction direction, const ImageBuffer& buffer);
    // One user less. Without any, the kernel lets go of the buffer: at once, or when hardware that hangs has answered.
    void detach(Direction direction, const buffer::FileIdentity& identity) noexcept;

    // Why jobs can't have that window, as far as is known without asking the driver. Thread: any.
    [[nodiscard]] std::optional<std::string> cropRefusal(const proc::Crop& crop) const { return window_.refusal(crop); }

    // Converts one image; both buffers are attached. Throws Error(LAROD_ERROR_JOB).
    void run(const proc::Crop& crop, const ImageBuffer& input, const ImageBuffer& output);

  private:
    struct Side {
        Side(Node& node, Direction direction, bool multiPlanar, uint32_t imageBytes)
            : queue(node, direction, multiPlanar), bytes(imageBytes) {}
        Queue queue;
        uint32_t bytes;  // of an image
        Slots slots{0};
        std::map<std::pair<dev_t, ino_t>, size_t> users;  // of each dma-buf
        bool tidy = true;                                 // the kernel holds no dma-buf without users
        bool pending = false;                             // a buffer is queued, with the job
        uint32_t index = 0;                               // of it
        DoneBuffer done;                                  // the last one that came back
    };

    [[nodiscard]] Side& side(Direction direction) noexcept { return direction == Direction::Input ? input_ : output_; }
    void allocate(Side& side);
    [[nodiscard]] bool idle() const noexcept { return !input_.pending && !output_.pending; }
    void checkUsable();
    void tidyUp();
    void tidyUpQuietly() noexcept;
    [[nodiscard]] int queueBuffer(Side& side, const ImageBuffer& buffer, uint64_t job);
    void flush(Side& side);
    bool takeBackPending();
    [[nodiscard]] bool takeBack(Side& side);
    void await(uint64_t deadlineNs);
    [[noreturn]] void failLate() const;
    void checkResult(uint64_t job);
    [[noreturn]] void lose(const std::string& reason);

    std::unique_ptr<Node> node_;
    Side input_;
    Side output_;
    const uint64_t timeoutMs_;
    Window window_;  // set up after the formats

    uint64_t lastJob_ = 0;
    bool hung_ = false;
    std::string lost_;  // why no job will ever run again; empty: it may
};

// Why a driver refuses a dma-buf, and what to do.
[[nodiscard]] std::string refusedBufferText(int error);

}  // namespace larod::device::v4l2
