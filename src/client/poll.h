// SPDX-License-Identifier: Apache-2.0
// poll(2) with a deadline, repeated where a signal interrupts it.
#pragma once

#include <poll.h>

#include <chrono>
#include <optional>
#include <span>

namespace larod::client {

using Clock = std::chrono::steady_clock;
using Deadline = std::optional<Clock::time_point>;  // nothing: wait for ever

// False when the deadline passed before anything happened.
bool pollUntil(std::span<pollfd> fds, Deadline deadline) noexcept;

}  // namespace larod::client
