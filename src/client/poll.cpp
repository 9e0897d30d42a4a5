// SPDX-License-Identifier: Apache-2.0
#include "client/poll.h"

#include <algorithm>
#include <cerrno>

namespace larod::client {

bool pollUntil(std::span<pollfd> fds, Deadline deadline) noexcept {
    for (;;) {
        int timeoutMs = -1;
        if (deadline) {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - Clock::now());
            timeoutMs = static_cast<int>(std::clamp<int64_t>(left.count(), 0, 3'600'000));
        }
        const int ready = ::poll(fds.data(), fds.size(), timeoutMs);
        if (ready > 0) {
            return true;
        }
        if (ready == 0 && deadline && Clock::now() >= *deadline) {
            return false;
        }
        if (ready < 0 && errno != EINTR) {
            return true;  // ENOMEM, EINVAL: let the call that follows say what is wrong
        }
    }
}

}  // namespace larod::client
