// SPDX-License-Identifier: Apache-2.0
// Sleeping on a word that another process changes. std::atomic::wait does not do: its futex is the process's own.
#pragma once

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <climits>
#include <cstdint>

namespace larod::session {

// Sleeps where the word has this value, until somebody wakes it; may return without a reason.
inline void waitWhile(std::atomic<uint32_t>& word, uint32_t value) noexcept {
    ::syscall(SYS_futex, &word, FUTEX_WAIT, value, nullptr, nullptr, 0);
}

// Wakes all who sleep on it, in any process.
inline void wake(std::atomic<uint32_t>& word) noexcept {
    ::syscall(SYS_futex, &word, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

}  // namespace larod::session
