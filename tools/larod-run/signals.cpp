// SPDX-License-Identifier: Apache-2.0
// The signals that ask larod-run to end, as readable events.
#include "larod-run/signals.h"

#include <unistd.h>

#include "larod-run/run_error.h"

namespace larod::tools {

Signals::Signals() {
    sigset_t handled;
    sigemptyset(&handled);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
        sigaddset(&handled, signal);
    }
    fd_.reset(::signalfd(-1, &handled, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!fd_ || ::pthread_sigmask(SIG_BLOCK, &handled, &before_) != 0) {
        throw errnoError("could not take over the signals");
    }
}

signalfd_siginfo Signals::take() const noexcept {
    signalfd_siginfo info{};
    if (::read(fd_.get(), &info, sizeof info) != static_cast<ssize_t>(sizeof info)) {
        info.ssi_signo = 0;
    }
    return info;
}

}  // namespace larod::tools
