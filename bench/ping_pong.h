// SPDX-License-Identifier: Apache-2.0
// The least that a request and a reply between two processes cost: what the service's own cost is compared with.
#pragma once

#include <sched.h>
#include <sys/types.h>

#include <functional>
#include <optional>

#include "base/unique_fd.h"

namespace larod::bench {

// A process that answers each 64-byte message of a SOCK_SEQPACKET pair with one.
class PingPong {
  public:
    using Work = std::function<void()>;

    // `cpu`: where the other process runs. `makeWork` is called once in that process; what it returns runs between each
    // message and its answer.
    explicit PingPong(std::optional<int> cpu, const std::function<Work()>& makeWork = {});
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
