// SPDX-License-Identifier: Apache-2.0
// A model as a session has it: its data, what is known about it, and what devices made of it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/param_map.h"
#include "base/unique_fd.h"
#include "buffer/mapping.h"
#include "device/device.h"
#include "wire/messages.h"

namespace larod::session {

// The data of a model: a private copy in a memory file that the arbiter made, mapped. Kept as long as something is
// loaded from it, since frameworks read it in place.
struct ModelData {
    UniqueFd fd;
    uint64_t memoryId = 0;  // the arbiter's name for the memory; 0: not from AllocMemory of this session
    uint64_t sizeBytes = 0;
    std::unique_ptr<buffer::Mapping> mapping;
};

// What a device made of a model for a number of threads.
class ModelInstance {
  public:
    ModelInstance(uint64_t modelId, std::shared_ptr<const ModelData> data, std::unique_ptr<device::LoadedModel> loaded)
        : modelId_(modelId), data_(std::move(data)), loaded_(std::move(loaded)) {}

    [[nodiscard]] uint64_t modelId() const noexcept { return modelId_; }
    [[nodiscard]] device::LoadedModel& loaded() const noexcept { return *loaded_; }

  private:
    const uint64_t modelId_;
    const std::shared_ptr<const ModelData> data_;  // outlives loaded_
    const std::unique_ptr<device::LoadedModel> loaded_;
};

// Thread: any.
class Model {
  public:
    // `data` is nullptr for a model that is described by parameters only. `first` was loaded with `threads`.
    Model(wire::ModelInfo info, bool own, device::Device& device, std::shared_ptr<const ModelData> data,
          std::optional<ParamMap> params, unsigned threads, std::unique_ptr<device::LoadedModel> first);

    [[nodiscard]] const wire::ModelInfo& info() const noexcept { return info_; }
    [[nodiscard]] bool own() const noexcept { return own_; }  // loaded by this session
    [[nodiscard]] device::Device& device() const noexcept { return device_; }
    [[nodiscard]] uint64_t memoryId() const noexcept { return data_ ? data_->memoryId : 0; }

    // For checks that need no particular instance.
    [[nodiscard]] const device::LoadedModel& anyInstance() const noexcept { return *first_; }

    // The instance for a number of threads; loads it where it does not exist yet, which can take long. Throws Error.
    // Thread: the one that serves the model's device.
    [[nodiscard]] const std::shared_ptr<ModelInstance>& instance(unsigned threads);

    // How long its last job took on the device; UINT64_MAX before the first one.
    std::atomic<uint64_t> lastRunNs{UINT64_MAX};

    // Deleted: queued jobs fail, the running one finishes.
    std::atomic<bool> deleted{false};

    // The service's model generation up to which this model is known to exist (models that others may delete).
    std::atomic<uint64_t> seenGeneration{0};

  private:
    struct Entry {
        unsigned threads;
        std::shared_ptr<ModelInstance> instance;
    };

    const wire::ModelInfo info_;
    const bool own_;
    device::Device& device_;
    const std::shared_ptr<const ModelData> data_;
    const std::optional<ParamMap> params_;
    std::vector<Entry> instances_;  // used by the thread that serves the device
    const device::LoadedModel* first_;
};

[[nodiscard]] device::ModelSource modelSource(const ModelData* data, const std::optional<ParamMap>& params) noexcept;

}  // namespace larod::session
