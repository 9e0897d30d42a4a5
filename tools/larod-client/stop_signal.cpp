// SPDX-License-Identifier: Apache-2.0
// SIGINT and SIGTERM as a wish to stop after the running job.
#include "larod-client/stop_signal.h"

#include <atomic>

namespace larod::tools {

namespace {

// A signal handler has no other way to reach anything.
std::atomic<bool> stopFlag{false};
static_assert(std::atomic<bool>::is_always_lock_free);

void onStopSignal(int) {
    stopFlag.store(true, std::memory_order_relaxed);
    // Either signal may come as the second one.
    std::signal(SIGINT, SIG_DFL);
    std::signal(SIGTERM, SIG_DFL);
}

}  // namespace

StopSignals::StopSignals() {
    struct sigaction action {};
    action.sa_handler = onStopSignal;
    action.sa_flags = SA_RESTART;  // the job that waits for its reply goes on
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, &interruptBefore_);
    sigaction(SIGTERM, &action, &terminateBefore_);
}

StopSignals::~StopSignals() {
    sigaction(SIGINT, &interruptBefore_, nullptr);
    sigaction(SIGTERM, &terminateBefore_, nullptr);
    stopFlag.store(false, std::memory_order_relaxed);
}

void requestStop() noexcept {
    stopFlag.store(true, std::memory_order_relaxed);
}

bool stopRequested() noexcept {
    return stopFlag.load(std::memory_order_relaxed);
}

}  // namespace larod::tools
