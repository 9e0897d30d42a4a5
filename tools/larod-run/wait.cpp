// SPDX-License-Identifier: Apache-2.0
// Waits for the first of a few readable fds, with a deadline.
#include "larod-run/wait.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>

#include "larod-run/run_error.h"

namespace larod::tools {

Readable waitReadable(const std::array<int, 4>& fds, std::optional<Deadline> deadline) {
    std::array<pollfd, 4> polled{};
    for (size_t index = 0; index < fds.size(); ++index) {
        polled[index] = {fds[index], POLLIN, 0};
    }
    while (true) {
        int timeoutMs = -1;
        if (deadline) {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - Deadline::clock::now());
            timeoutMs = static_cast<int>(std::clamp<int64_t>(left.count(), 0, 1'000'000));
        }
        const int ready = ::poll(polled.data(), polled.size(), timeoutMs);
        if (ready >= 0) {
            Readable readable{};
            for (size_t index = 0; index < fds.size(); ++index) {
                readable[index] = polled[index].revents != 0;
            }
            return readable;
        }
        if (errno != EINTR) {
            throw errnoError("could not wait");
        }
    }
}

}  // namespace larod::tools
