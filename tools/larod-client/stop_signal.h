// SPDX-License-Identifier: Apache-2.0
// SIGINT and SIGTERM as a wish to stop after the running job.
#pragma once

#include <csignal>

namespace larod::tools {

// Catches the first of these signals as long as it lives; the second ends the process as usual, should a job or a load
// hang. One at a time.
class StopSignals {
  public:
    StopSignals();
    ~StopSignals();
    StopSignals(const StopSignals&) = delete;
    StopSignals& operator=(const StopSignals&) = delete;

  private:
    struct sigaction interruptBefore_ {};
    struct sigaction terminateBefore_ {};
};

// True from the first signal on, as long as it is caught. Thread: any.
[[nodiscard]] bool stopRequested() noexcept;

// As a signal would, until one of these objects ends. Thread: any.
void requestStop() noexcept;

}  // namespace larod::tools
