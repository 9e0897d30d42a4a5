// SPDX-License-Identifier: Apache-2.0
// The first exchange with the service.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/unique_fd.h"
#include "wire/messages.h"

namespace larod::wire {
class Channel;
}

namespace larod::client {

// How long larodConnect takes at most, waiting to be accepted included. A service answers within microseconds of its
// fork. The limit is there so that a program whose socket leads to something else fails instead of hanging.
inline constexpr std::chrono::milliseconds kHandshakeTimeout{10'000};

// Sends the Hello and waits for the Welcome. Throws Error(LAROD_ERROR_VERSION_MISMATCH) with both versions in its text,
// the code and text of another refusal, or Error(LAROD_ERROR_CONNECTION) for a peer that is gone, silent until the
// timeout, or speaks something else.
[[nodiscard]] wire::Welcome shakeHands(wire::Channel& channel, std::chrono::milliseconds timeout);

}  // namespace larod::client
