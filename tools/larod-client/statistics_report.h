// SPDX-License-Identifier: Apache-2.0
// What was measured, for people and for scripts.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "larod-client/job_loop.h"
#include "larod-client/round_recorder.h"
#include "larod-client/status_stages.h"

namespace larod::tools {

struct Measurement {
    std::vector<std::span<const Round>> clients;  // each with at least one round
    double jobsPerSecond = 0;                     // that were asked for; 0: as fast as they went
    // Of exactly these rounds; or why they are not known.
    std::variant<JobStages, std::string> stages;

    [[nodiscard]] uint64_t rounds() const noexcept;
    // From the first beginning to the last end.
    [[nodiscard]] double elapsedMs() const noexcept;
    [[nodiscard]] double meanMs() const noexcept;
};

// So many rounds of one of several clients while all of them ran say something about their shares.
inline constexpr uint64_t kLeastSharedRounds = 10;

// Of the time in which all clients ran, the jobs a second of each, as many as clients. Nothing where none of several
// clients had kLeastSharedRounds done in that time.
[[nodiscard]] std::optional<std::vector<double>> sharesOfClients(std::span<const std::span<const Round>> clients);

// Percentiles, histogram and stages.
[[nodiscard]] std::string statisticsText(const Measurement& measurement);

// A line a client, one for all of them, and the fairness index.
[[nodiscard]] std::string clientsText(const Measurement& measurement);

[[nodiscard]] std::string statisticsJson(const Measurement& measurement);

}  // namespace larod::tools
