// SPDX-License-Identifier: Apache-2.0
// The signals that ask larod-run to end, as readable events.
#pragma once

#include <sys/signalfd.h>

#include <csignal>

#include "unique_fd.h"

namespace larod::tools {

// Blocks SIGINT, SIGTERM, SIGHUP and SIGQUIT for the rest of this process's life: a late one must not turn the
// command's exit status into another. Children get the mask of before by restoreMask().
class Signals {
  public:
    Signals();  // throws RunError
    Signals(const Signals&) = delete;
    Signals& operator=(const Signals&) = delete;

    // Readable when a signal waits.
    [[nodiscard]] int fd() const noexcept { return fd_.get(); }

    // The next waiting signal; ssi_signo is 0 when none waits.
    [[nodiscard]] signalfd_siginfo take() const noexcept;

    // Async-signal-safe, for a forked child.
    void restoreMask() const noexcept { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

  private:
    sigset_t before_{};
    UniqueFd fd_;
};

}  // namespace larod::tools
