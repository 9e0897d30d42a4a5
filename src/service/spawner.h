// SPDX-License-Identifier: Apache-2.0
// The process that makes session processes: it has the frameworks loaded and warm, and nothing of any client
// (processes.md 1).
#pragma once

#include <sys/types.h>

#include "base/unique_fd.h"
#include "service/options.h"

namespace larod::service {

struct SpawnerFds {
    UniqueFd listener;
    UniqueFd arbiter;      // its end of the channel to the arbiter
    UniqueFd servicePage;  // read-only
};

// Loads the devices, tells the arbiter, then forks a session for each client, until the arbiter is gone. The calling
// process has one thread and was forked for this by the process `arbiter`. Returns its exit status.
[[nodiscard]] int runSpawner(const Options& options, SpawnerFds fds, pid_t arbiter);

}  // namespace larod::service
