// SPDX-License-Identifier: Apache-2.0
// The least that a request and a reply between two processes cost: what the service's own cost is compared with.
#pragma once

#include <sched.h>
#include <sys/types.h>

#include <optional>

#include "base/unique_fd.h"

namespace larod::bench {

// A process that answers each 64-byte message of a SOCK_SEQPACKET pair with one.
class PingPong {
  public:
    // `cpu`: where the other process runs.
    explicit PingPong(std::optional<int> cpu);
    ~PingPong();
    PingPong(const PingPong&) = delete;
    PingPong& operator=(const PingPong&) = delete;

    // One message there and one back.
    void once() const;

  private:
    UniqueFd socket_;
    pid_t pid_ = -1;
};

// Binds the calling process to one CPU; throws Error(EINVAL) where it can't run there.
void runOnCpu(int cpu);

}  // namespace larod::bench
