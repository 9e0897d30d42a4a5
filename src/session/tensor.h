// SPDX-License-Identifier: Apache-2.0
// A client's tensor as the session knows it: its fd, and the memory that was made of it for the models it is used with.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "buffer/aligned_memory.h"
#include "buffer/dma_buf_sync.h"
#include "buffer/mapping.h"
#include "device/device.h"
#include "wire/messages.h"

namespace larod::session {

class ModelInstance;

// A place in a model: which tensor of which direction. For messages: "input tensor 0".
struct TensorPlace {
    Direction direction = Direction::Input;
    size_t index = 0;
    friend bool operator==(const TensorPlace&, const TensorPlace&) = default;
};
[[nodiscard]] std::string placeText(TensorPlace place);

// LAROD_FD_PROP_* flags, for messages: "MAP|DMABUF".
[[nodiscard]] std::string fdPropsText(uint32_t props);

// behaviour.md 5.2, in order of rank.
enum class AccessMethod : uint8_t {
    DmaBuf,     // the device takes the dma-buf itself
    Map,        // the device uses the memory that the fd is mapped to
    ReadWrite,  // through memory of our own
};

// What the session does around a job beyond its own CPU accesses.
struct SyncOptions {
    bool skip = false;    // leave out the synchronisation of a mapped dma-buf (dma-buf.md 6)
    bool native = false;  // synchronise what the device takes itself: the program is older (dma-buf.md 4.4)
};

// A tensor in one place of one model instance, ready for jobs: a dma-buf that the device knows, a mapping of the fd, or
// memory of our own that is filled from the fd before and written to it after each job.
//
// One job at a time uses it: jobs of one device run one by one, and a place belongs to a model of one device.
class BoundTensor {
  public:
    ~BoundTensor();
    BoundTensor(const BoundTensor&) = delete;
    BoundTensor& operator=(const BoundTensor&) = delete;

    [[nodiscard]] device::Binding* binding() const noexcept { return binding_.get(); }
    [[nodiscard]] AccessMethod method() const noexcept { return method_; }

    // For people: place, method and why it was chosen.
    [[nodiscard]] const std::string& description() const noexcept { return description_; }
    // As description(), at the first call; then nothing.
    [[nodiscard]] std::string takeNews() { return std::exchange(told_, true) ? std::string() : description_; }

    // Before the device runs: reads an input by READWRITE, opens the CPU access of a mapped dma-buf. Throws
    // Error(LAROD_ERROR_FD) that names the place.
    void begin(SyncOptions sync);

    // After it ran. Throws Error(LAROD_ERROR_JOB) where a dma-buf can't be synchronised, Error(LAROD_ERROR_FD) where an
    // output can't be written or the file was cut off under the mapping.
    void end(SyncOptions sync);

    // The job failed: closes what begin() opened and writes nothing.
    void abandon() noexcept;

  private:
    friend class Tensor;
    BoundTensor(class Tensor& tensor, TensorPlace place, std::shared_ptr<ModelInstance> instance);
    void explain(std::string_view method, std::string_view reason);
    void beginMapped();
    void read();
    void write();
    void syncNative(buffer::CpuAccess access);

    Tensor& tensor_;  // owns this
    const TensorPlace place_;
    const std::shared_ptr<ModelInstance> instance_;  // outlives binding_
    AccessMethod method_ = AccessMethod::Map;
    std::string reason_;  // why better methods were not possible
    std::string description_;
    bool told_ = false;
    std::shared_ptr<buffer::Mapping> mapping_;
    std::unique_ptr<buffer::AlignedMemory> staging_;  // where the file can't be mapped
    std::span<std::byte> memory_;
    std::unique_ptr<device::Binding> binding_;
    buffer::DmaBufSync sync_;
};

// Thread: any.
class Tensor {
  public:
    // Takes the session's own duplicate of the client's fd. Throws Error(LAROD_ERROR_FD) for what can't hold a tensor:
    // a pipe, a socket, a terminal, a directory, an fd without a usable property.
    Tensor(UniqueFd fd, const wire::FdAttributes& attributes);
    ~Tensor();
    Tensor(const Tensor&) = delete;
    Tensor& operator=(const Tensor&) = delete;

    // As the client says; 0: it does not say.
    [[nodiscard]] uint64_t sizeBytes() const noexcept { return size_; }

    // Borrowed.
    [[nodiscard]] int fd() const noexcept { return fd_.get(); }

    // By its flag, until the kernel says otherwise.
    [[nodiscard]] bool isDmaBuf() const noexcept { return isDmaBuf_.load(std::memory_order_relaxed); }

    // Whether a job has read or written it through a copy, which moves the position of its fd.
    [[nodiscard]] bool copies() const noexcept { return copies_.load(std::memory_order_relaxed); }

    // Whether a job can use `need` bytes of it on a device of these capabilities; throws Error(LAROD_ERROR_FD) naming
    // the place. What only the kernel can tell is found out by bind().
    void check(TensorPlace place, size_t need, const device::Capabilities& capabilities) const;

    // Memory for a place of a model instance: made at the first call and kept until the tensor is gone (which is "bind
    // once" for tracked tensors; an untracked one lives for one job). Tries the methods in the order of their rank.
    // Throws Error.
    [[nodiscard]] BoundTensor& bind(TensorPlace place, const std::shared_ptr<ModelInstance>& instance,
                                    const device::Capabilities& capabilities);

    // Forgets what was made for the instances of a model. No job of that model may be running.
    void unbind(uint64_t modelId);

  private:
    friend class BoundTensor;

    [[nodiscard]] bool holds(size_t need) const;
    [[nodiscard]] uint32_t commonProps(Direction direction, const device::Capabilities& capabilities) const noexcept;
    [[nodiscard]] bool usable(const BoundTensor& bound) const;
    [[nodiscard]] bool tryDmaBuf(BoundTensor& bound, size_t need) const;
    [[nodiscard]] bool tryMap(BoundTensor& bound, size_t need);
    void choose(BoundTensor& bound, size_t need, const device::Capabilities& capabilities);
    [[nodiscard]] std::string describe(const BoundTensor& bound, const device::Capabilities& capabilities) const;

    const UniqueFd fd_;
    const uint64_t size_;
    const uint64_t offset_;
    const uint32_t props_;
    const bool fixedLength_;  // else a client may cut it off between jobs
    std::atomic<bool> isDmaBuf_;
    std::atomic<bool> copies_{false};

    std::mutex mutex_;  // guards bound_
    std::vector<std::unique_ptr<BoundTensor>> bound_;
};

}  // namespace larod::session
