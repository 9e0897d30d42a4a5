// SPDX-License-Identifier: Apache-2.0
// Runs one request again and again and measures how long that takes.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "larod-client/job_queue.h"
#include "larod.h"

namespace larod::tools {

// Jobs that are queued at the service at a time in asynchronous mode.
inline constexpr size_t kMaxJobsInFlight = 32;

// Jobs that wait at the service at a time where they have a rate. Where it is that far behind, further ones are handed
// over when it has caught up with half of them.
inline constexpr size_t kMaxLateJobs = 256;

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

// `jobsPerSecond` > 0. Job k is due at k / jobsPerSecond, counted from 0, and is handed over then, whether or not
// others are done; where that is not possible, as soon as it is. The observer gets the time when a job was due as its
// beginning, so that latency counts what a job had to wait because others took long. Otherwise as runJobsAsync.
[[nodiscard]] RoundsResult runJobsAtRate(larodConnection* conn, const larodJobRequest* request, uint64_t rounds,
                                         double jobsPerSecond, JobObserver* observer);

}  // namespace larod::tools
