// SPDX-License-Identifier: Apache-2.0
// SIGINT and SIGTERM as a wish to stop after the running job.
#pragma once

namespace larod::tools {

// Catches the first of these signals; the second ends the process as usual, should a job hang.
void catchStopSignals();

// True from the first signal on; always false without catchStopSignals().
[[nodiscard]] bool stopRequested() noexcept;

}  // namespace larod::tools
