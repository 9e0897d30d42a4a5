// SPDX-License-Identifier: Apache-2.0
// Runs a network on the device itself, without a service.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include "device/device.h"

namespace larod::test {

// The bytes of a file with what kernels may read behind them.
class FileInMemory {
  public:
    explicit FileInMemory(std::span<const uint8_t> file) : size_(file.size()) {
        const auto bytes = std::as_bytes(file);
        bytes_.assign(bytes.begin(), bytes.end());
        bytes_.resize(size_ + device::kReadableBytesBehind);
    }
    [[nodiscard]] device::ModelSource source(const ParamMap* params = nullptr) const {
        return {std::span<const std::byte>(bytes_).first(size_), params};
    }

  private:
    std::vector<std::byte> bytes_;
    size_t size_;
};

// A loaded network with memory for its tensors, each of which starts `misalignment` bytes behind an aligned address.
class Network {
  public:
    Network(device::Device& device, std::span<const uint8_t> file, unsigned threads = 1, size_t misalignment = 0,
            const ParamMap* params = nullptr)
        : file_(file), model_(device.load(file_.source(params), threads)) {
        add(Direction::Input, model_->inputs(), misalignment);
        add(Direction::Output, model_->outputs(), misalignment);
    }

    [[nodiscard]] device::LoadedModel& model() const { return *model_; }

    template <typename T>
    void set(size_t input, const std::vector<T>& values) {
        ASSERT_EQ(values.size() * sizeof(T), memory_[input].bytes.size());
        std::memcpy(memory_[input].bytes.data(), values.data(), values.size() * sizeof(T));
    }

    void run(const ParamMap& params = {}) {
        model_->checkParams(params);
        model_->run({inputs_, outputs_, params});
    }

    template <typename T>
    [[nodiscard]] std::vector<T> get(size_t output) const {
        const auto bytes = memory_[inputs_.size() + output].bytes;
        std::vector<T> values(bytes.size() / sizeof(T));
        std::memcpy(values.data(), bytes.data(), bytes.size());
        return values;
    }

  private:
    struct Memory {
        std::vector<std::byte> storage;
        std::span<std::byte> bytes;
    };

    void add(Direction direction, const std::vector<TensorSpec>& specs, size_t misalignment) {
        constexpr size_t kAlignment = 64;
        for (size_t i = 0; i < specs.size(); ++i) {
            const size_t size = specs[i].byteSize();
            memory_.push_back(
                {std::vector<std::byte>(size + 2 * kAlignment + misalignment + device::kReadableBytesBehind), {}});
            Memory& memory = memory_.back();
            const auto address = reinterpret_cast<uintptr_t>(memory.storage.data());
            const size_t start = (kAlignment - address % kAlignment) % kAlignment + misalignment;
            memory.bytes = std::span(memory.storage).subspan(start, size);
            bindings_.push_back(model_->bind(direction, i, memory.bytes));
            (direction == Direction::Input ? inputs_ : outputs_).push_back(bindings_.back().get());
        }
    }

    FileInMemory file_;
    std::unique_ptr<device::LoadedModel> model_;
    std::vector<Memory> memory_;
    std::vector<std::unique_ptr<device::Binding>> bindings_;
    std::vector<device::Binding*> inputs_;
    std::vector<device::Binding*> outputs_;
};

}  // namespace larod::test
