// SPDX-License-Identifier: Apache-2.0
// The tensors of a job and the memory behind them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "larod-client/handles.h"
#include "larod-client/parameter.h"
#include "unique_fd.h"

namespace larod::tools {

// Whose memory a tensor uses, and of which kind: -I and -O.
enum class BufferType : uint8_t {
    ExtDisk,    // the tool's file itself
    LarodDisk,  // the service's memory file
    LarodDma,   // the service's dma-buf
    ExtDma,     // the tool's dma-buf
};

inline constexpr std::string_view kBufferTypeNames = "ext-disk, larod-disk, larod-dma, ext-dma";

// Throws UsageError for any other name.
[[nodiscard]] BufferType parseBufferType(std::string_view name);

enum class Direction : uint8_t { Input, Output };

// The input or output tensors of a model. All but those of type ExtDisk have their memory from the beginning; of those
// setFile() gives each its own. Lives shorter than its connection. Thread: one at a time.
class TensorBuffers {
  public:
    // Throws ToolError, e.g. where the device can't use such buffers, or the machine has none.
    TensorBuffers(larodConnection* conn, const larodModel* model, Direction direction, BufferType type,
                  const std::vector<Parameter>& allocParameters);

    [[nodiscard]] const TensorArray& tensors() const noexcept { return tensors_; }
    [[nodiscard]] size_t size() const noexcept { return tensors_.size(); }
    // "input 0", for messages.
    [[nodiscard]] std::string nameOf(size_t index) const;
    // Throws ToolError when the model does not define it.
    [[nodiscard]] size_t sizeBytes(size_t index) const;

    // Whether tensors use files, so that nothing is to be copied.
    [[nodiscard]] bool usesFiles() const noexcept { return type_ == BufferType::ExtDisk; }
    // The file is the tensor's memory from its beginning on; it can be read, written and mapped. Throws ToolError.
    void setFile(size_t index, UniqueFd file);

    // `use` gets the tensor's bytes, which are as hardware left them, and afterwards visible to it. Not while a job
    // runs. Throws ToolError, and what `use` throws.
    void read(size_t index, const std::function<void(std::span<const std::byte>)>& use) const;
    void write(size_t index, const std::function<void(std::span<std::byte>)>& use) const;

    // Throws ToolError. The service's own are tracked anyway.
    void track(larodConnection* conn) const;

  private:
    Direction direction_;
    BufferType type_;
    TensorArray tensors_;
    std::vector<UniqueFd> files_;  // of the tensors, in their order; empty where the memory is the service's
};

}  // namespace larod::tools
