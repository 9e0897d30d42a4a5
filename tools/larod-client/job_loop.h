// SPDX-License-Identifier: Apache-2.0
// Runs one request again and again and measures how long that takes.
#pragma once

#include <chrono>
#include <cstdint>

#include "larod.h"

namespace larod::tools {

// Jobs that are queued at the service at a time in asynchronous mode.
inline constexpr int kMaxJobsInFlight = 32;

using Clock = std::chrono::steady_clock;

// Is told about each job that succeeded.
class JobObserver {
  public:
    virtual ~JobObserver() = default;

    // The job was handed over and its end seen at these times; waiting for power counts. One call at a time, in the
    // order of the ends. Thread: the one that runs the jobs, or for asynchronous ones a thread of the library, whose
    // other jobs this delays: it must be short and not throw.
    virtual void onJobEnd(Clock::time_point begin, Clock::time_point end) noexcept = 0;
};

struct RoundsResult {
    uint64_t rounds = 0;  // at least 1
    std::chrono::duration<double, std::milli> elapsed{};
};

// Run `rounds` jobs, or with 0 without an end; in any case at least one, and no more than until stopRequested(). Throw
// ToolError when a job fails; a job without power is repeated (power_wait.h), and that time counts. The outputs are
// those of the last job that ended. `observer` may be nullptr.

// One job after the other.
[[nodiscard]] RoundsResult runJobs(larodConnection* conn, const larodJobRequest* request, uint64_t rounds,
                                   JobObserver* observer);

// Up to kMaxJobsInFlight at a time. No job is outstanding afterwards, also when it throws.
[[nodiscard]] RoundsResult runJobsAsync(larodConnection* conn, const larodJobRequest* request, uint64_t rounds,
                                        JobObserver* observer);

}  // namespace larod::tools
