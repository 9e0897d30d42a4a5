// SPDX-License-Identifier: Apache-2.0
// The log of the service's processes: spdlog's default logger, to stderr. The client library never logs.
#pragma once

#include <spdlog/spdlog.h>

#include <string>

namespace larod {

// Sends the log to a duplicate of stderr, so that text that a framework writes to descriptor 2 can be captured without
// catching log lines. `level`: "trace", "debug", "info", "warn", "error" or "off"; throws Error(EINVAL) for another
// one. Call once, in main, before other threads exist. `processName` stands in every line: "larod", "spawner",
// "session".
void initLog(const std::string& level, const std::string& processName);

// After a fork: the name and pid that the lines carry from now on.
void renameLog(const std::string& processName);

// The descriptor that the log writes to, to be kept open over close_range.
[[nodiscard]] int logFd() noexcept;

}  // namespace larod
