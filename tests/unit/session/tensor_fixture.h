// SPDX-License-Identifier: Apache-2.0
// Tensors of files and of memory, bound to a model of one input and one output.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "buffer/sigbus_guard.h"
#include "session/model.h"
#include "session/tensor.h"
#include "unit/session/fake_device.h"

namespace larod::session::test {

constexpr TensorPlace kInput{Direction::Input, 0};
constexpr TensorPlace kOutput{Direction::Output, 0};
inline const std::string kFdError = std::to_string(LAROD_ERROR_FD) + ": ";

inline std::string pattern(size_t length, char first = 'a') {
    std::string text(length, '\0');
    for (size_t i = 0; i < length; ++i) {
        text[i] = static_cast<char>(first + static_cast<char>(i % 26));
    }
    return text;
}

inline std::string textOf(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// A file on disk without a name, and further descriptors of it.
class File {
  public:
    explicit File(const std::string& content) {
        std::string path = std::filesystem::temp_directory_path() / "larod-tensor-XXXXXX";
        fd_.reset(::mkostemp(path.data(), O_CLOEXEC));
        ::unlink(path.c_str());
        write(0, content);
    }
    [[nodiscard]] UniqueFd open(int flags) const {
        return UniqueFd(::open(("/proc/self/fd/" + std::to_string(fd_.get())).c_str(), flags | O_CLOEXEC));
    }
    [[nodiscard]] int fd() const { return fd_.get(); }
    void write(off_t offset, const std::string& content) const {
        EXPECT_EQ(::pwrite(fd_.get(), content.data(), content.size(), offset), static_cast<ssize_t>(content.size()));
    }
    void resize(off_t length) const { EXPECT_EQ(::ftruncate(fd_.get(), length), 0); }
    [[nodiscard]] std::string content() const {
        std::string text(static_cast<size_t>(::lseek(fd_.get(), 0, SEEK_END)), '\0');
        EXPECT_EQ(::pread(fd_.get(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
        return text;
    }

  private:
    UniqueFd fd_;
};

inline UniqueFd duplicate(int fd) {
    return UniqueFd(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
}

// A device with the same fd properties in both directions.
inline device::Capabilities capable(uint32_t props) {
    return {props, props, props, props};
}

// A model of one input and one output of `bytes`.
inline std::shared_ptr<ModelInstance> makeInstance(size_t bytes, uint64_t modelId = 1) {
    return std::make_shared<ModelInstance>(
        modelId, nullptr, std::make_unique<FakeModel>(std::vector{bytesSpec(bytes)}, std::vector{bytesSpec(bytes)}));
}

inline size_t bindingsMade(const std::shared_ptr<ModelInstance>& instance) {
    return static_cast<FakeModel&>(instance->loaded()).bound;
}

// What an input looks like to the device.
inline std::string readInput(Tensor& tensor, const std::shared_ptr<ModelInstance>& instance, uint32_t deviceProps) {
    BoundTensor& bound = tensor.bind(kInput, instance, capable(deviceProps));
    bound.begin({});
    const std::string text = textOf(memoryOf(bound.binding()));
    bound.end({});
    return text;
}

inline void writeOutput(Tensor& tensor, const std::shared_ptr<ModelInstance>& instance, uint32_t deviceProps,
                        const std::string& text) {
    BoundTensor& bound = tensor.bind(kOutput, instance, capable(deviceProps));
    bound.begin({});
    std::memcpy(memoryOf(bound.binding()).data(), text.data(), text.size());
    bound.end({});
}

class TensorTest : public ::testing::Test {
  protected:
    static void SetUpTestSuite() { buffer::sigbus_guard::install(); }
    std::shared_ptr<ModelInstance> model = makeInstance(16);
};

}  // namespace larod::session::test
