// SPDX-License-Identifier: Apache-2.0
// A converter that behaves as drivers do: it changes what it is asked and says that it went well, refuses buffers,
// reports errors, hangs, goes away.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "buffer/file_identity.h"
#include "device/v4l2/v4l2_node.h"

namespace larod::device::v4l2 {

enum class Windows : uint8_t {
    None,         // ENOTTY
    Usual,        // CROP of the input, COMPOSE of the output
    Swapped,      // COMPOSE is the input's, CROP the output's, whatever the queue
    IgnoresType,  // CROP is the input's, COMPOSE the output's, whatever the queue
    FromOrigin,   // every window is moved to 0,0
};

struct FakeFormat {
    uint32_t fourcc = 0;
    uint32_t flags = 0;
};

struct FakeTraits {
    bool multiPlanar = false;
    uint32_t deviceCaps = 0;  // 0: those of a converter
    std::vector<FakeFormat> inputFormats = {{V4L2_PIX_FMT_RGB24, 0}, {V4L2_PIX_FMT_NV12, 0}};
    std::vector<FakeFormat> outputFormats = {{V4L2_PIX_FMT_RGB24, 0}, {V4L2_PIX_FMT_NV12, 0}};
    uint32_t minWidth = 32, maxWidth = 4096, minHeight = 32, maxHeight = 4096, widthMultiple = 1;
    bool tellsSizes = true;
    bool keepsPitch = true;      // else it is that of a row without padding
    uint32_t pitchMultiple = 1;  // rounded up to
    uint32_t extraBytes = 0;     // that images are larger than larod's
    uint32_t planes = 1;
    bool keepsColours = true;
    Windows windows = Windows::Usual;
    bool inputDmaBufs = true;
    bool outputDmaBufs = true;
    uint32_t maxBuffers = 32;
    int streamOnError = 0;
    bool copiesTimestamp = true;
    bool letsGoOnError = true;  // a failing QBUF drops what its index held
};

// A job that was done.
struct FakeJob {
    ino_t input = 0;
    ino_t output = 0;
    v4l2_rect window = {};
};

// The hardware and its driver, shared by all its open files. Thread: any.
class FakeHardware {
  public:
    explicit FakeHardware(FakeTraits given = {}) : traits(std::move(given)) {}

    [[nodiscard]] std::unique_ptr<Node> open();

    // Ends the job that hangs.
    void answer();

    // Keeps all who call the driver waiting, until unlock(), as another file's close does that waits for the hardware.
    void lock();
    void unlock(uint64_t afterMs = 0);

    void waitForAllToClose();

    // The dma-bufs that the kernel holds for us.
    [[nodiscard]] std::vector<ino_t> held();

    FakeTraits traits;
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<FakeJob> jobs;
    std::vector<std::string> requests;  // all but polls and the questions
    std::thread::id user = std::this_thread::get_id();
    int refuseInput = 0;  // errno of QBUF
    int refuseOutput = 0;
    bool errorFlag[2] = {false, false};
    bool hang = false;
    bool unplugged = false;
    bool unplugAtPoll = false;
    bool swallow = false;  // poll tells an error, and no buffer comes back
    bool locked = false;
    bool userWaited = false;  // the user's thread called what waits for the hardware
    bool userCalled = false;  // the user's thread called the driver
    uint32_t opens = 0;
    uint64_t nowNs = 1'000'000'000;

    class Open;
    std::vector<Open*> files;
};

// A file as a dma-buf.
[[nodiscard]] UniqueFd makeMemory(size_t bytes);
[[nodiscard]] ino_t inodeOf(int fd);

}  // namespace larod::device::v4l2
