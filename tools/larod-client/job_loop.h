// SPDX-License-Identifier: Apache-2.0
// Runs one request again and again and measures how long that takes.
#pragma once

#include <chrono>
#include <cstdint>

#include "larod.h"

namespace larod::tools {

// What LAROD_ERROR_POWER_NOT_AVAILABLE is answered with, for loading as for jobs.
inline constexpr std::chrono::milliseconds kPowerRetryInterval{250};
inline constexpr int kMaxPowerRetries = 50;

// Jobs that are queued at the service at a time in asynchronous mode.
inline constexpr int kMaxJobsInFlight = 32;

struct RoundsResult {
    uint64_t rounds = 0;  // at least 1
    std::chrono::duration<double, std::milli> elapsed{};
};

// Run `rounds` jobs, or with 0 until stopRequested() but at least one. Throw ToolError when a job fails; a job without
// power is repeated as above, and that time counts. The outputs are those of the last job that ended.

// One job after the other.
[[nodiscard]] RoundsResult runJobs(larodConnection* conn, const larodJobRequest* request, uint64_t rounds);

// Up to kMaxJobsInFlight at a time. No job is outstanding afterwards, also when it throws.
[[nodiscard]] RoundsResult runJobsAsync(larodConnection* conn, const larodJobRequest* request, uint64_t rounds);

}  // namespace larod::tools
