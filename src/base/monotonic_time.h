// SPDX-License-Identifier: Apache-2.0
// CLOCK_MONOTONIC in nanoseconds: one clock for all processes of the machine.
#pragma once

#include <time.h>

#include <cstdint>

namespace larod {

[[nodiscard]] inline uint64_t monotonicNs() noexcept {
    timespec now = {};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000U + static_cast<uint64_t>(now.tv_nsec);
}

}  // namespace larod
