// SPDX-License-Identifier: Apache-2.0
// A .tflite network, compiled for a number of threads.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "device/device.h"
#include "device/litert/litert_engine.h"

namespace larod::device::litert {

// How long the two dry runs of a load may take together, where the engine asks (before each of its nodes).
inline constexpr uint64_t kDryRunLimitNs = 60'000'000'000;

// As many as the service passes in one message (wire/limits.h).
inline constexpr size_t kMaxTensors = 120;

class LitertModel final : public LoadedModel {
  public:
    // Parses, compiles and runs the model twice on zeros: unresolved operations, wrong shapes and outputs whose size
    // depends on the data show only then. `file` outlives the object. Throws Error(LAROD_ERROR_LOAD_MODEL).
    LitertModel(const Engine& engine, std::span<const std::byte> file, unsigned threads,
                uint64_t dryRunLimitNs = kDryRunLimitNs);
    ~LitertModel() override;

    std::unique_ptr<Binding> bind(Direction direction, size_t index, std::span<std::byte> memory) override;
    void checkParams(const ParamMap& params) const override;
    void run(const JobIo& job) override;

  private:
    class BoundMemory;

    void readTensors();
    void allocate();
    void describe(Direction direction, const std::vector<Handle>& tensors, std::vector<TensorType>& types);
    void dryRun();
    // Runs twice on what stands in the buffers.
    void tryTwice(std::vector<Handle>& inputs, std::vector<Handle>& outputs);
    [[nodiscard]] std::vector<Layout> outputLayouts(bool allocate);
    [[nodiscard]] std::string failureText(int status) const;
    static bool isCancelled(void* deadline);

    const Engine& engine_;
    const Api& api_;
    uint64_t deadlineNs_ = UINT64_MAX;  // read by the engine through isCancelled()
    Model model_;
    std::vector<Handle> inputTensors_;  // owned by model_
    std::vector<Handle> outputTensors_;
    bool outputLayoutsCanBeAsked_ = true;
    CompiledModel compiled_;
    std::vector<TensorType> inputTypes_;
    std::vector<TensorType> outputTypes_;
    std::vector<Handle> inputBuffers_;  // of the running job
    std::vector<Handle> outputBuffers_;
};

}  // namespace larod::device::litert
