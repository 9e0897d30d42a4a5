// SPDX-License-Identifier: Apache-2.0
// The tensors of a job and the memory behind them.
#include "larod-client/tensor_buffers.h"

#include <fmt/format.h>

#include <cerrno>

#include "larod-client/dma_buf.h"
#include "larod-client/tensor_file.h"
#include "larod-client/tool_error.h"
#include "larod-dma-buf.h"

namespace larod::tools {

namespace {

const char* plural(Direction direction) {
    return direction == Direction::Input ? "inputs" : "outputs";
}

TensorArray makeTensors(larodConnection* conn, const larodModel* model, Direction direction, BufferType type,
                        const std::vector<Parameter>& allocParameters) {
    LarodError error;
    size_t count = 0;
    larodTensor** tensors = nullptr;
    if (type == BufferType::LarodDisk || type == BufferType::LarodDma) {
        const uint32_t props = type == BufferType::LarodDma ? LAROD_FD_TYPE_DMA : LAROD_FD_TYPE_DISK;
        const auto alloc = direction == Direction::Input ? larodAllocModelInputs : larodAllocModelOutputs;
        tensors = alloc(conn, model, props, &count, makeMap(allocParameters).get(), error.out());
        if (tensors == nullptr) {
            throw error.toolError(fmt::format("Could not allocate buffers for the {}", plural(direction)));
        }
    } else {
        const auto make = direction == Direction::Input ? larodCreateModelInputs : larodCreateModelOutputs;
        tensors = make(model, &count, error.out());
        if (tensors == nullptr) {
            throw error.toolError(fmt::format("Could not create the tensors of the {}", plural(direction)));
        }
    }
    return {conn, tensors, count};
}

ToolError accessError(const std::string& name, const DmaBufException& error) {
    return {error.code(), fmt::format("Could not access the buffer of {}: {}", name, error.what())};
}

}  // namespace

BufferType parseBufferType(std::string_view name) {
    if (name == "ext-disk") {
        return BufferType::ExtDisk;
    }
    if (name == "larod-disk") {
        return BufferType::LarodDisk;
    }
    if (name == "larod-dma") {
        return BufferType::LarodDma;
    }
    if (name == "ext-dma") {
        return BufferType::ExtDma;
    }
    throw UsageError(fmt::format("'{}' is no type of buffers; there are {}", name, kBufferTypeNames));
}

TensorBuffers::TensorBuffers(larodConnection* conn, const larodModel* model, Direction direction, BufferType type,
                             const std::vector<Parameter>& allocParameters)
    : direction_(direction), type_(type), tensors_(makeTensors(conn, model, direction, type, allocParameters)) {
    if (type_ == BufferType::ExtDisk || type_ == BufferType::ExtDma) {
        files_.resize(tensors_.size());
    }
    if (type_ != BufferType::ExtDma) {
        return;
    }
    for (size_t index = 0; index < tensors_.size(); ++index) {
        const size_t bytes = sizeBytes(index);
        files_[index] = allocateDmaBuf(bytes, nameOf(index));
        setTensorFile(tensors_[index], files_[index].get(), bytes, LAROD_FD_TYPE_DMA, nameOf(index));
    }
}

std::string TensorBuffers::nameOf(size_t index) const {
    return fmt::format("{} {}", direction_ == Direction::Input ? "input" : "output", index);
}

size_t TensorBuffers::sizeBytes(size_t index) const {
    return tensorByteSize(tensors_[index], nameOf(index));
}

void TensorBuffers::setFile(size_t index, UniqueFd file) {
    files_[index] = std::move(file);
    setTensorFile(tensors_[index], files_[index].get(), sizeBytes(index), LAROD_FD_TYPE_DISK, nameOf(index));
}

void TensorBuffers::read(size_t index, const std::function<void(std::span<const std::byte>)>& use) const {
    try {
        DmaBufMapping mapping(tensors_[index], LAROD_DMA_BUF_READ);
        DmaBufScope scope(mapping, LAROD_DMA_BUF_READ);
        use(std::as_bytes(std::span<const uint8_t>(scope.data(), scope.size())));
        scope.end();
    } catch (const DmaBufException& error) {
        throw accessError(nameOf(index), error);
    }
}

void TensorBuffers::write(size_t index, const std::function<void(std::span<std::byte>)>& use) const {
    try {
        DmaBufMapping mapping(tensors_[index], LAROD_DMA_BUF_WRITE);
        DmaBufScope scope(mapping, LAROD_DMA_BUF_WRITE);
        use(std::as_writable_bytes(std::span<uint8_t>(scope.data(), scope.size())));
        scope.end();
    } catch (const DmaBufException& error) {
        throw accessError(nameOf(index), error);
    }
}

void TensorBuffers::track(larodConnection* conn) const {
    if (type_ == BufferType::LarodDisk || type_ == BufferType::LarodDma) {
        return;
    }
    LarodError error;
    for (size_t index = 0; index < tensors_.size(); ++index) {
        if (!larodTrackTensor(conn, tensors_[index], error.out())) {
            throw error.toolError(fmt::format("Could not track {}", nameOf(index)));
        }
    }
}

}  // namespace larod::tools
