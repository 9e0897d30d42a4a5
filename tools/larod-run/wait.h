// SPDX-License-Identifier: Apache-2.0
// Waits for the first of a few readable fds, with a deadline.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>

namespace larod::tools {

using Deadline = std::chrono::steady_clock::time_point;

// Which of `fds` are readable or at their end; none when the deadline passed. A negative fd is left out.
// Throws RunError.
using Readable = std::array<bool, 4>;
[[nodiscard]] Readable waitReadable(const std::array<int, 4>& fds, std::optional<Deadline> deadline);

}  // namespace larod::tools
