// SPDX-License-Identifier: Apache-2.0
// What went wrong, as a line on stderr and an exit status.
#pragma once

namespace larod::tools {

enum ExitStatus : int { kSuccess = 0, kFailure = 1, kUsage = 2 };

// In a catch handler: prints the exception that is handled as an error line, with its code in parentheses at the end (a
// larodErrorCode, which is negative, or an errno), and gives the exit status for it.
ExitStatus reportFailure() noexcept;

}  // namespace larod::tools
