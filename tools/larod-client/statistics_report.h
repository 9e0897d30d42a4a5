// SPDX-License-Identifier: Apache-2.0
// What was measured, for people and for scripts.
#pragma once

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

// Of the time in which all clients ran, the jobs a second of each. As many as clients.
[[nodiscard]] std::vector<double> sharesOfClients(std::span<const std::span<const Round>> clients);

// Percentiles, histogram and stages.
[[nodiscard]] std::string statisticsText(const Measurement& measurement);

// A line a client, and the fairness index.
[[nodiscard]] std::string clientsText(const Measurement& measurement);

[[nodiscard]] std::string statisticsJson(const Measurement& measurement);

}  // namespace larod::tools
