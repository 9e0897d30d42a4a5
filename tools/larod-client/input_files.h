// SPDX-License-Identifier: Apache-2.0
// The input tensors' files: those of the command line, and memory files with random data.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "larod-client/handles.h"
#include "unique_fd.h"

namespace larod::tools {

// Gives each of `tensors` its file. `names` has one entry a tensor, or is a single empty name for all of them; an empty
// name stands for random data made from `seed`. The result owns the fds that the tensors use, in their order.
// Throws ToolError: another number of names, a file that can't be read or is shorter than its tensor.
[[nodiscard]] std::vector<UniqueFd> openInputs(const TensorArray& tensors, const std::vector<std::string>& names,
                                               uint64_t seed);

}  // namespace larod::tools
