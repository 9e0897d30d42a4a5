// SPDX-License-Identifier: Apache-2.0
// Which processes a process has started.
#pragma once

#include <sys/types.h>

#include <vector>

namespace larod::test {

// The running children of a process; those that have ended and wait for their parent don't count.
[[nodiscard]] std::vector<pid_t> childrenOf(pid_t parent);

}  // namespace larod::test
