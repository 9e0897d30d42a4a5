// SPDX-License-Identifier: Apache-2.0
// Jobs of one input and one output on buffers of any kind.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "support/client.h"
#include "support/private_service.h"
#include "system/buffers.h"

namespace larod::test {

// A buffer as a tensor.
struct Place {
    int fd = -1;
    int64_t offset = 0;
    uint32_t props = LAROD_FD_TYPE_DISK;
    bool tracked = false;
};

[[nodiscard]] inline uint32_t propsOf(Exporter exporter) {
    return exporter == Exporter::MemoryFile ? uint32_t{LAROD_FD_TYPE_DISK} : uint32_t{LAROD_FD_TYPE_DMA};
}

// A loaded model of one input and one output.
class JobCase {
  public:
    // What the device is to do is chosen by its name: debug-device echoes `bytes`, cpu-tflite adds one to each of
    // bytes / 4 floats, cpu-proc and v4l2-proc halve an RGB image; "cpu-tflite-fused" is a network of cpu-tflite that
    // gives the halved image out.
    JobCase(const Client& client, const std::string& device, size_t bytes = 12'288);

    [[nodiscard]] const LoadedModel& model() const noexcept { return model_; }
    [[nodiscard]] size_t inputBytes() const noexcept { return inputBytes_; }
    [[nodiscard]] size_t outputBytes() const noexcept { return outputBytes_; }

    // Input data that the device can compute with, other for each seed.
    [[nodiscard]] std::vector<uint8_t> pattern(uint64_t seed) const;

    // Tensors made for the two places, which are kept as long as the object: tracked where the place says so.
    class Tensored {
      public:
        Tensored(const JobCase& job, const Client& client, const Place& input, const Place& output);
        [[nodiscard]] std::optional<Failure> run(const Params* params = nullptr) const;
        [[nodiscard]] const Tensors& inputs() const noexcept { return inputs_; }
        [[nodiscard]] const Tensors& outputs() const noexcept { return outputs_; }

      private:
        const JobCase& job_;
        const Client& client_;
        const Tensors inputs_;
        const Tensors outputs_;
    };

    // The output for an input, from memory files.
    [[nodiscard]] std::vector<uint8_t> expected(const Client& client, std::span<const uint8_t> input) const;

  private:
    LoadedModel model_;
    bool floats_ = false;
    size_t inputBytes_ = 0;
    size_t outputBytes_ = 0;
};

}  // namespace larod::test
