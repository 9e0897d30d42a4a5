// SPDX-License-Identifier: Apache-2.0
// Where the time of jobs goes inside the service.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

namespace larod::tools {

// Sums over jobs, in nanoseconds.
struct JobStages {
    uint64_t jobs = 0;
    uint64_t waitNs = 0;  // from a job's arrival to its turn on the device
    uint64_t bindNs = 0;  // mapping the memory, or copying inputs
    uint64_t runNs = 0;
    uint64_t syncNs = 0;  // writing or flushing outputs

    [[nodiscard]] JobStages since(const JobStages& earlier) const noexcept;
};

// Of all jobs of this process that are done; otherwise why the service does not tell.
[[nodiscard]] std::variant<JobStages, std::string> readOwnStages();

}  // namespace larod::tools
