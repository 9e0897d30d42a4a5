// SPDX-License-Identifier: Apache-2.0
// A network without the service: the same engine, by the same code, in this process.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "device/device.h"

namespace larod::bench {

class InProcess {
  public:
    InProcess(const std::string& path, unsigned threads);

    void run();

    // Input 0.
    [[nodiscard]] const TensorSpec& input() const { return model_->inputs().at(0); }
    [[nodiscard]] std::span<std::byte> inputMemory() const { return {memory_.at(0).get(), input().byteSize()}; }

  private:
    struct Free {
        void operator()(std::byte* memory) const noexcept;
    };
    using Memory = std::unique_ptr<std::byte, Free>;

    static Memory allocate(size_t size);
    device::Binding* bind(Direction direction, size_t index, size_t size);

    // In the order of their making: each is used by those behind it.
    std::unique_ptr<device::Device> device_;
    Memory file_;
    std::unique_ptr<device::LoadedModel> model_;
    std::vector<Memory> memory_;
    std::vector<std::unique_ptr<device::Binding>> bindings_;
    std::vector<device::Binding*> inputs_;
    std::vector<device::Binding*> outputs_;
    ParamMap params_;
};

}  // namespace larod::bench
