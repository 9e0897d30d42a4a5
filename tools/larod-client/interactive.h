// SPDX-License-Identifier: Apache-2.0
// Interactive mode: each line of the input is a command line of the tool.
#pragma once

namespace larod::tools {

// Until the end of stdin, over one connection; models that a line loads stay. Where stdin and stdout are a terminal,
// there is a prompt, and Ctrl-C stops the jobs of a line. Otherwise lines are read as they are, and the result is
// whether none failed. Throws ToolError where there is no service.
[[nodiscard]] bool runInteractive();

}  // namespace larod::tools
