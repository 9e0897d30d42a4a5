// SPDX-License-Identifier: Apache-2.0
// A device whose models do what a test says.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "device/device.h"

namespace larod::session::test {

constexpr uint32_t kMap = LAROD_FD_PROP_MAP;
constexpr uint32_t kReadWrite = LAROD_FD_PROP_READWRITE;
constexpr uint32_t kDmaBuf = LAROD_FD_PROP_DMABUF;

inline TensorSpec bytesSpec(size_t bytes, std::string name = "data") {
    TensorSpec spec;
    spec.name = std::move(name);
    spec.dataType = LAROD_TENSOR_DATA_TYPE_UINT8;
    spec.dims = {{bytes}, 1};
    spec.pitches = {{bytes}, 1};
    return spec;
}

class FakeBinding final : public device::Binding {
  public:
    explicit FakeBinding(std::span<std::byte> itsMemory) : memory(itsMemory) {}
    const std::span<std::byte> memory;
};

inline std::span<std::byte> memoryOf(device::Binding* binding) {
    return static_cast<FakeBinding*>(binding)->memory;
}

class FakeModel final : public device::LoadedModel {
  public:
    FakeModel(std::vector<TensorSpec> inputs, std::vector<TensorSpec> outputs) {
        inputs_ = std::move(inputs);
        outputs_ = std::move(outputs);
    }

    std::unique_ptr<device::Binding> bind(Direction, size_t, std::span<std::byte> memory) override {
        ++bound;
        return std::make_unique<FakeBinding>(memory);
    }
    void checkParams(const ParamMap&) const override {}
    void run(const device::JobIo& job) override {
        if (onRun) {
            onRun(job);
        }
    }

    std::function<void(const device::JobIo&)> onRun;
    std::atomic<size_t> bound{0};
};

class FakeDevice final : public device::Device {
  public:
    explicit FakeDevice(std::string name) : Device(std::move(name)) {}

    device::Capabilities capabilities() const noexcept override { return properties; }
    bool takesFile() const noexcept override { return filesOnly; }
    std::string node() const override { return nodePath; }

    std::unique_ptr<device::LoadedModel> load(const device::ModelSource& source, unsigned threads) override {
        threadsOfLoad = threads;
        if (onLoad) {
            onLoad(source);
        }
        auto model = std::make_unique<FakeModel>(inputs, outputs);
        model->onRun = onRun;
        return model;
    }

    device::Capabilities properties{LAROD_FD_TYPE_DISK, LAROD_FD_TYPE_DISK, LAROD_FD_TYPE_DISK, LAROD_FD_TYPE_DISK};
    bool filesOnly = false;
    unsigned threadsOfLoad = 0;  // of the last one
    std::string nodePath;
    std::vector<TensorSpec> inputs{bytesSpec(16)};
    std::vector<TensorSpec> outputs{bytesSpec(16)};
    std::function<void(const device::ModelSource&)> onLoad;
    std::function<void(const device::JobIo&)> onRun;  // of models loaded from now on
};

// What a call throws, as "code: text"; "" where it throws nothing.
template <typename Function>
std::string errorOf(Function&& function) {
    try {
        function();
    } catch (const Error& error) {
        return std::to_string(error.code()) + ": " + error.text();
    }
    return "";
}

}  // namespace larod::session::test
