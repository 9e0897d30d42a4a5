// SPDX-License-Identifier: Apache-2.0
// A run whose rounds are kept, each of them.
#pragma once

#include <cstdint>

#include "larod-client/job_loop.h"
#include "larod-client/options.h"
#include "larod.h"

namespace larod::tools {

// Warms up and runs the rounds of all clients, of which `conn` with `request` is one; prints and writes what the
// options want to know about them. Gives what the mean is made of: with one client that runs as fast as it can the
// whole time, as in any other run; otherwise the sum of the rounds' own times, which overlap. Throws ToolError.
[[nodiscard]] RoundsResult runMeasured(larodConnection* conn, const larodJobRequest* request, const Options& options,
                                       uint64_t seed);

}  // namespace larod::tools
