// SPDX-License-Identifier: Apache-2.0
// A file as the buffer of a tensor.
#include "larod-client/tensor_file.h"

#include <fmt/format.h>

#include <cerrno>

#include "larod-client/tool_error.h"

namespace larod::tools {

size_t tensorByteSize(const larodTensor* tensor, std::string_view what) {
    LarodError error;
    size_t sizeBytes = 0;
    if (!larodGetTensorByteSize(tensor, &sizeBytes, error.out())) {
        throw error.toolError(fmt::format("Could not get the size of {}", what));
    }
    if (sizeBytes == 0) {
        throw ToolError(EINVAL, fmt::format("The size of {} is not defined by the model", what));
    }
    return sizeBytes;
}

void setTensorFile(larodTensor* tensor, int fd, size_t sizeBytes, uint32_t fdProps, std::string_view what) {
    LarodError error;
    if (!larodSetTensorFd(tensor, fd, error.out()) || !larodSetTensorFdSize(tensor, sizeBytes, error.out()) ||
        !larodSetTensorFdProps(tensor, fdProps, error.out())) {
        throw error.toolError(fmt::format("Could not set the file of {}", what));
    }
}

}  // namespace larod::tools
