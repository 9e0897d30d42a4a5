// SPDX-License-Identifier: Apache-2.0
// What is looked at in the outputs of the last job.
#pragma once

#include <optional>
#include <string>

#include "larod-client/options.h"
#include "larod-client/tensor_buffers.h"

namespace larod::tools {

// Before any job: whether that can be done which validateOutputs() does later. Throws ToolError.
void checkValidation(const TensorBuffers& outputs, const Options& options);

// Prints a classification, saves an image, compares with references, as the options want it. Gives what is wrong with
// the outputs; none: nothing is. Throws ToolError.
[[nodiscard]] std::optional<std::string> validateOutputs(larodConnection* conn, const TensorBuffers& outputs,
                                                         const Options& options);

}  // namespace larod::tools
