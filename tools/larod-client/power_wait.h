// SPDX-License-Identifier: Apache-2.0
// What LAROD_ERROR_POWER_NOT_AVAILABLE is answered with, for loading as for jobs: wait and try again.
#pragma once

#include <chrono>

namespace larod::tools {

inline constexpr std::chrono::milliseconds kPowerRetryInterval{250};
inline constexpr int kMaxPowerRetries = 50;

// Counts refusals in a row. Thread: one at a time.
class PowerWait {
  public:
    // After a refusal: waits, and says so on stderr at the first one. False, at once, when it has been tried often
    // enough.
    [[nodiscard]] bool again();

    // Something was granted: what is refused next is refused for the first time.
    void granted() noexcept { refusals_ = 0; }

  private:
    int refusals_ = 0;
};

}  // namespace larod::tools
