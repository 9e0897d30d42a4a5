// SPDX-License-Identifier: Apache-2.0
// What LAROD_ERROR_POWER_NOT_AVAILABLE is answered with, for loading as for jobs: wait and try again.
#include "larod-client/power_wait.h"

#include <fmt/format.h>

#include <thread>

#include "larod-client/stamped_output.h"

namespace larod::tools {

bool PowerWait::again() {
    if (refusals_ == kMaxPowerRetries) {
        return false;
    }
    if (refusals_++ == 0) {
        const std::chrono::duration<double> longest = kPowerRetryInterval * kMaxPowerRetries;
        printNotice(
            fmt::format("There is no power for the device now: waiting for it, {:.1f} s at most", longest.count()));
    }
    std::this_thread::sleep_for(kPowerRetryInterval);
    return true;
}

}  // namespace larod::tools
