// SPDX-License-Identifier: Apache-2.0
// What a device is to the service: it loads models, and a loaded model runs jobs on memory that it is given.
//
// A device object is made and warmed up once, in the spawner, and inherited by every session process through fork; from
// then on each session has its own copy. So it must not hold threads, and nothing that a fork would share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/param_map.h"
#include "base/tensor_spec.h"
#include "base/unique_fd.h"

namespace larod::device {

// Sets of LAROD_FD_PROP_* flags.
struct Capabilities {
    uint32_t runInput = 0;  // at least one of them must be among the tensor's (behaviour.md 5.2)
    uint32_t runOutput = 0;
    uint32_t allocInput = 0;  // buffers that the service can allocate for this device
    uint32_t allocOutput = 0;
    // Whether a tensor that is usable by DMABUF alone may have an fd offset other than 0 (dma-buf.md 5).
    bool dmaBufOffset = true;
    // Whether the device takes dma-bufs itself (LoadedModel::bindDmaBuf), without the CPU. One that has DMABUF and not
    // this stands in for hardware that does: its dma-bufs are mapped and synchronised.
    bool native = false;
};

// Memory that a job may read behind the end of an input: XNNPACK's kernels do (litert.md 4).
inline constexpr size_t kReadableBytesBehind = 64;

// What a model is loaded from. The memory stays as it is until the LoadedModel is gone.
struct ModelSource {
    std::optional<std::span<const std::byte>> file;  // kReadableBytesBehind bytes after it are readable
    const ParamMap* params = nullptr;                // nullptr: no map was given
    // Whether images may have odd sizes and row pitches where their format allows it: that those of cpu-proc are even
    // is no rule of the devices that it stands in for.
    bool oddSizes = false;
    // For a device with a node(): opens it, for reading and writing and without blocking, which the session itself may
    // not. Any number of times, only within load(). Throws Error. Empty where nobody opens nodes.
    std::function<UniqueFd()> openNode = nullptr;
};

// A client's dma-buf for a device that takes it itself. The kernel says that it is one.
struct DmaBuf {
    int fd = -1;          // stays open as long as the Binding that is made of it
    uint64_t offset = 0;  // bytes, of the tensor in the buffer
    uint64_t length = 0;  // bytes, of the whole buffer
};

// What a device keeps for one piece of memory in one place of one model, for instance the framework's tensor object.
// Destroyed before the memory goes and before its LoadedModel, by any thread, also while a job runs on other bindings
// of the model.
class Binding {
  public:
    virtual ~Binding() = default;
    Binding(const Binding&) = delete;
    Binding& operator=(const Binding&) = delete;

  protected:
    Binding() = default;
};

struct JobIo {
    std::span<Binding* const> inputs;  // in the model's order, none is nullptr, no Binding twice
    std::span<Binding* const> outputs;
    const ParamMap& params;
};

// Thread: one call at a time, from any thread.
class LoadedModel {
  public:
    virtual ~LoadedModel() = default;
    LoadedModel(const LoadedModel&) = delete;
    LoadedModel& operator=(const LoadedModel&) = delete;

    // Names are distinct within a direction; pitches are always specified, and pitches[0] is the size of a tensor in
    // bytes (behaviour.md 3.3, preprocessing.md 4).
    [[nodiscard]] const std::vector<TensorSpec>& inputs() const noexcept { return inputs_; }
    [[nodiscard]] const std::vector<TensorSpec>& outputs() const noexcept { return outputs_; }

    // Prepares `memory` as input or output `index`. It has exactly the tensor's byte size, any alignment, and, for
    // inputs, kReadableBytesBehind readable bytes after it; input memory may be mapped read-only. Any number of
    // bindings may exist for one place; a binding may be used for any number of jobs. Where the device can't use the
    // memory as it is (alignment), it copies at each run, with the same results. Throws Error.
    [[nodiscard]] virtual std::unique_ptr<Binding> bind(Direction direction, size_t index,
                                                        std::span<std::byte> memory) = 0;

    // As bind(), for a dma-buf that the device is to use itself: nobody maps or synchronises it. Only for devices with
    // Capabilities::native. Throws Error(LAROD_ERROR_FD) where the device can't use this one (its offset, its memory);
    // other ways are tried then, and the text is the reason that is told where there are none. Throws another Error
    // where no way will do: the job fails with it.
    [[nodiscard]] virtual std::unique_ptr<Binding> bindDmaBuf(Direction direction, size_t index, const DmaBuf& buffer) {
        (void)direction, (void)index, (void)buffer;
        throw Error(LAROD_ERROR_FD, "the device takes no dma-bufs itself");
    }

    // Throws Error for parameters that this model can't run with. Called when the job arrives, before it is queued,
    // possibly while another job runs. `nullptr`-free: a job without a map has an empty one.
    virtual void checkParams(const ParamMap& params) const = 0;

    // Runs one job to its end. The outputs are written completely, or undefined where it throws Error.
    virtual void run(const JobIo& job) = 0;

  protected:
    LoadedModel() = default;
    std::vector<TensorSpec> inputs_;
    std::vector<TensorSpec> outputs_;
};

class Device {
  public:
    virtual ~Device() = default;
    Device(const Device&) = delete;
    Device& operator=(const Device&) = delete;

    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] uint32_t instance() const noexcept { return instance_; }

    // Whose hardware runs the jobs: another device's, where this one only presents it (stand_in.h). Devices of one
    // target share its turn and its queue. The target of a target is itself.
    [[nodiscard]] virtual Device& target() noexcept { return *this; }

    [[nodiscard]] virtual Capabilities capabilities() const noexcept = 0;

    // Whether its models are files (fd needed) or parameter maps (a file is ignored) (behaviour.md 3).
    [[nodiscard]] virtual bool takesFile() const noexcept = 0;

    // Whether a tensor's layout must be the model's. Networks don't care: applications send NHWC images to any
    // (behaviour.md 5.1).
    [[nodiscard]] bool comparesLayout() const noexcept { return !takesFile(); }

    // Whether the number of threads changes what load() makes: models of such a device are instantiated per thread
    // count.
    [[nodiscard]] virtual bool usesThreads() const noexcept { return false; }

    // The device node that its models use, for instance "/dev/video1"; empty where they use none. The arbiter opens it
    // (ModelSource::openNode).
    [[nodiscard]] virtual std::string node() const { return {}; }

    // The requests (ioctl) that its models make of the node; a session may make no others.
    [[nodiscard]] virtual std::span<const unsigned long> nodeRequests() const noexcept { return {}; }

    // Called once in the spawner, before any session exists and while there is one thread: opens and reads what the
    // sandbox will deny. Leaves no thread behind.
    virtual void warmUp() {}

    // Parses, checks and prepares a model, which is untrusted data; survives any that can be survived. `threads` >= 1.
    // Throws Error(LAROD_ERROR_LOAD_MODEL) with the framework's own text where it has one. Any thread, one call at a
    // time.
    [[nodiscard]] virtual std::unique_ptr<LoadedModel> load(const ModelSource& source, unsigned threads) = 0;

  protected:
    explicit Device(std::string name, uint32_t instance = 0) : name_(std::move(name)), instance_(instance) {}

  private:
    std::string name_;
    uint32_t instance_;
};

}  // namespace larod::device
