// SPDX-License-Identifier: Apache-2.0
#include "bench/in_process.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "device/litert/litert_device.h"

namespace larod::bench {

void InProcess::Free::operator()(std::byte* memory) const noexcept {
    std::free(memory);
}

// Aligned as a mapping is, so that the engine binds it without a copy, as it binds a mapping.
InProcess::Memory InProcess::allocate(size_t size) {
    constexpr size_t kPage = 4096;
    const size_t rounded = (size + device::kReadableBytesBehind + kPage - 1) / kPage * kPage;
    Memory memory(static_cast<std::byte*>(std::aligned_alloc(kPage, rounded)));
    if (!memory) {
        throw Error(ENOMEM, "no memory for {} bytes", size);
    }
    std::memset(memory.get(), 0, rounded);
    return memory;
}

device::Binding* InProcess::bind(Direction direction, size_t index, size_t size) {
    memory_.push_back(allocate(size));
    bindings_.push_back(model_->bind(direction, index, {memory_.back().get(), size}));
    return bindings_.back().get();
}

InProcess::InProcess(const std::string& path, unsigned threads) : device_(device::makeLitertDevice()) {
    device_->warmUp();
    std::error_code failure;
    const auto size = static_cast<size_t>(std::filesystem::file_size(path, failure));
    if (failure) {
        throw Error(failure.value(), "can't read {}: {}", path, failure.message());
    }
    file_ = allocate(size);
    std::ifstream stream(path, std::ios::binary);
    if (!stream.read(reinterpret_cast<char*>(file_.get()), static_cast<std::streamsize>(size))) {
        throw Error(EIO, "can't read {}", path);
    }
    model_ = device_->load({std::span<const std::byte>(file_.get(), size), nullptr}, threads);
    for (size_t i = 0; i < model_->inputs().size(); ++i) {
        inputs_.push_back(bind(Direction::Input, i, model_->inputs()[i].byteSize()));
    }
    for (size_t i = 0; i < model_->outputs().size(); ++i) {
        outputs_.push_back(bind(Direction::Output, i, model_->outputs()[i].byteSize()));
    }
}

void InProcess::run() {
    model_->run({inputs_, outputs_, params_});
}

}  // namespace larod::bench
