// SPDX-License-Identifier: Apache-2.0
// The output tensors' files: their names, and the files themselves.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "larod-client/handles.h"
#include "unique_fd.h"

namespace larod::tools {

// `given` first; the outputs after those are called BASE.outINDEX in the current folder, where BASE is the base name of
// the first input file, or the seed where the first input is random. Throws ToolError: more names than outputs.
[[nodiscard]] std::vector<std::string> outputNames(const std::vector<std::string>& given, size_t numOutputs,
                                                   const std::string& firstInput, uint64_t seed);

// The files of the output tensors. A regular file is the tensor's buffer itself; anything else that can be written,
// such as /dev/null, gets its data from a memory file in writeOthers().
class OutputFiles {
  public:
    // Creates (or empties) a file for each of `tensors` and gives it the tensor's size, so that it can be mapped.
    // Throws ToolError: a file that can't be created, no room, or a file that is one of `inputs` or another output: the
    // job would overwrite what it reads.
    OutputFiles(const TensorArray& tensors, const std::vector<std::string>& names, const std::vector<UniqueFd>& inputs);

    // After the last job. Throws ToolError.
    void writeOthers() const;

  private:
    struct Other {
        std::string name;
        UniqueFd file;
        int buffer;  // one of buffers_
        size_t sizeBytes;
    };

    std::vector<UniqueFd> buffers_;  // the tensors' fds, in their order
    std::vector<Other> others_;
};

}  // namespace larod::tools
