// SPDX-License-Identifier: Apache-2.0
// A line on the terminal that shows how far a run is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "larod-client/job_loop.h"

namespace larod::tools {

// "[=====>    ]  50 %  500/1000  120.3 jobs/s  0:04 left", in `width` columns where that is enough; without an end,
// that is with `total` 0, "500  120.3 jobs/s  0:04". `elapsed` > 0.
[[nodiscard]] std::string progressLine(uint64_t done, uint64_t total, std::chrono::duration<double> elapsed,
                                       size_t width);

// Draws the line on stderr, which is a terminal, from the second second on, and wipes it in the end. Threads: as
// JobObserver; made and destroyed while no job runs.
class Progress : public JobObserver {
  public:
    // `total` 0: without an end. `next` (may be nullptr) is told about each job, too.
    Progress(uint64_t total, JobObserver* next);
    ~Progress() override;
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    void onJobEnd(Clock::time_point begin, Clock::time_point end) noexcept override;

  private:
    void draw(Clock::time_point now);

    uint64_t total_;
    JobObserver* next_;
    Clock::time_point begin_ = Clock::now();
    Clock::time_point nextDraw_;
    uint64_t done_ = 0;
    bool drawn_ = false;
};

}  // namespace larod::tools
