// SPDX-License-Identifier: Apache-2.0
// When each measured round began and ended.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "larod-client/job_loop.h"

namespace larod::tools {

// 160 MB of memory, and minutes of the fastest jobs.
inline constexpr uint64_t kMaxRecordedRounds = 10'000'000;

struct Round {
    Clock::time_point begin;  // at a rate: when it was due
    Clock::time_point end;

    [[nodiscard]] double latencyMs() const noexcept {
        return std::chrono::duration<double, std::milli>(end - begin).count();
    }
};

// Keeps all rounds in the order of their ends. Thread: as JobObserver says; the rounds are looked at when no job runs.
class RoundRecorder final : public JobObserver {
  public:
    // Memory for as many rounds is taken now; those beyond are not kept.
    explicit RoundRecorder(uint64_t maxRounds) { rounds_.reserve(static_cast<size_t>(maxRounds)); }

    void onJobEnd(Clock::time_point begin, Clock::time_point end) noexcept override {
        if (rounds_.size() < rounds_.capacity()) {
            rounds_.push_back({begin, end});
        }
    }

    [[nodiscard]] std::span<const Round> rounds() const noexcept { return rounds_; }

  private:
    std::vector<Round> rounds_;
};

// Of all of them, in ascending order.
[[nodiscard]] std::vector<double> sortedLatenciesMs(std::span<const std::span<const Round>> clients);

// A line for each round of each client, numbered from 1 in the order of their beginnings. `beginName` heads the column
// of the beginnings; times are in milliseconds from the first one of all. Throws ToolError: the file can't be written.
void writeSamples(const std::string& fileName, std::span<const std::span<const Round>> clients,
                  const std::string& beginName);

}  // namespace larod::tools
