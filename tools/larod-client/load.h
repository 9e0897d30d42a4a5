// SPDX-License-Identifier: Apache-2.0
// Loads the model that the command line describes.
#pragma once

#include <string>

#include "larod-client/handles.h"
#include "larod-client/options.h"

namespace larod::tools {

// The base name of the model's file; "" where there is none.
[[nodiscard]] std::string modelName(const ModelOptions& options);

// Waits for power as power_wait.h says, but no longer than until stopRequested(). Throws ToolError.
[[nodiscard]] ModelHandle loadModel(larodConnection* conn, const ModelOptions& options);

}  // namespace larod::tools
