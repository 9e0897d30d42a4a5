// SPDX-License-Identifier: Apache-2.0
// The output tensors' files: their names, and the files themselves.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "larod-client/file_identity.h"
#include "larod-client/tensor_buffers.h"
#include "unique_fd.h"

namespace larod::tools {

// `given` first; the outputs after those are called BASE.outINDEX in the current folder, where BASE is the base name of
// the first input file, or the seed where the first input is random. Throws ToolError: more names than outputs.
[[nodiscard]] std::vector<std::string> outputNames(const std::vector<std::string>& given, size_t numOutputs,
                                                   const std::string& firstInput, uint64_t seed);

// The files of the output tensors. Where tensors use files, a regular file is the tensor's buffer itself; anything else
// that can be written, such as /dev/null, and all files of tensors with other buffers, get their data in write().
class OutputFiles {
  public:
    // Creates (or empties) a file for each of `outputs`, which outlive this object, and has room made for the data.
    // Throws ToolError: a file that can't be created, no room, or a file that is one of `read`, which would be
    // overwritten, or another output.
    OutputFiles(TensorBuffers& outputs, const std::vector<std::string>& names, const std::vector<FileIdentity>& read);

    // After the last job. Throws ToolError.
    void write() const;

  private:
    struct Copy {
        size_t index;
        std::string name;
        UniqueFd file;
    };

    const TensorBuffers& outputs_;
    std::vector<Copy> copies_;
};

}  // namespace larod::tools
