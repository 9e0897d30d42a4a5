// SPDX-License-Identifier: Apache-2.0
// The options of `larod`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace larod::service {

enum class SandboxMode : uint8_t { On, Off };

struct Options {
    std::string socketPath;
    unsigned threads = 1;  // of the CPU engine, a job
    std::string logLevel = "info";
    SandboxMode sandbox = SandboxMode::On;
    uint64_t jobLimitMs = 30'000;  // how long a job may keep a device while others wait
};

// Nothing where the program is to end at once (help, version, wrong use), with `exitStatus` set and the text printed.
[[nodiscard]] std::optional<Options> parseOptions(int argc, char** argv, int& exitStatus);

}  // namespace larod::service
