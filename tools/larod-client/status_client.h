// SPDX-License-Identifier: Apache-2.0
// Asks the service for its status. The one thing that this tool does without larod.h, which has no word for it: this
// file speaks the wire protocol itself.
#pragma once

#include "wire/status_messages.h"

namespace larod::tools {

// All pages in one. Throws ToolError: EACCES for who may not know, the codes of larodConnect.
[[nodiscard]] wire::Status readStatus();

}  // namespace larod::tools
