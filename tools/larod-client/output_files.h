// SPDX-License-Identifier: Apache-2.0
// The output tensors' files: their names, and the files themselves.
#pragma once

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

// Creates (or empties) a file for each of `tensors` and gives it the tensor's size, so that it can be mapped. The
// result owns the fds that the tensors use. Throws ToolError: a file that can't be created, no room, or a file that is
// one of `inputs` or another output: the job would overwrite what it reads.
[[nodiscard]] std::vector<UniqueFd> openOutputs(const TensorArray& tensors, const std::vector<std::string>& names,
                                                const std::vector<UniqueFd>& inputs);

}  // namespace larod::tools
