// SPDX-License-Identifier: Apache-2.0
// Runs one request again and again at a rate, as a camera delivers images.
#pragma once

#include <cstdint>

#include "larod-client/job_loop.h"

namespace larod::tools {

// Jobs that wait at the service at a time. Where it is that far behind, further ones are handed over when one ends.
inline constexpr int kMaxLateJobs = 256;

// `jobsPerSecond` > 0. Job k is due at k / jobsPerSecond, counted from 0, and is handed over then, whether or not
// others are done; where that is not possible, as soon as it is. The observer gets the time when a job was due as its
// beginning, so that latency counts what a job had to wait because others took long. Otherwise as runJobsAsync.
[[nodiscard]] RoundsResult runJobsAtRate(larodConnection* conn, const larodJobRequest* request, uint64_t rounds,
                                         double jobsPerSecond, JobObserver* observer);

}  // namespace larod::tools
