// SPDX-License-Identifier: Apache-2.0
// A line on the terminal that shows how far a run is.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "larod-client/job_queue.h"

namespace larod::tools {

// "[=====>    ]  50 %  500/1000  120.3 jobs/s  0:04 left", in `width` columns where that is enough; without an end,
// that is with `total` 0, "500  120.3 jobs/s  0:04". `elapsed` > 0.
[[nodiscard]] std::string progressLine(uint64_t done, uint64_t total, std::chrono::duration<double> elapsed,
                                       size_t width);

// Draws the line on stderr, which is a terminal, from the second second on, and wipes it in the end.
class Progress {
  public:
    // `total` 0: without an end.
    explicit Progress(uint64_t total) : total_(total) {}
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    // One more job is done, now. Thread: any.
    void onJobEnd(Clock::time_point now) noexcept;

  private:
    // A short run needs no line.
    static constexpr std::chrono::seconds kFirstDraw{1};

    void draw(Clock::time_point now);

    const uint64_t total_;
    const Clock::time_point begin_ = Clock::now();
    std::atomic<uint64_t> done_ = 0;

    std::mutex mutex_;  // guards all that follows, and is held while drawing
    Clock::time_point nextDraw_ = begin_ + kFirstDraw;
    bool drawn_ = false;
};

// Tells the progress of all clients about the jobs of one, and then another observer.
class ProgressObserver final : public JobObserver {
  public:
    // Either may be nullptr.
    ProgressObserver(Progress* progress, JobObserver* next) : progress_(progress), next_(next) {}

    void onJobEnd(Clock::time_point begin, Clock::time_point end) noexcept override;

  private:
    Progress* progress_;
    JobObserver* next_;
};

// Where stderr is a terminal; elsewhere nullptr.
[[nodiscard]] std::unique_ptr<Progress> progressAtTerminal(uint64_t total);

}  // namespace larod::tools
