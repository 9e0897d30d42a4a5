// SPDX-License-Identifier: Apache-2.0
// The log of the service's processes, to stderr. The client library never logs. spdlog, which writes it, stays in
// log.cpp: it would take longer to compile than most files that log.
#pragma once

#include <fmt/format.h>

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

// From any thread. A line that can't be written, for whatever reason, is lost.
namespace log {

enum class Level { Trace, Debug, Info, Warn, Error, Critical };

[[nodiscard]] bool isEnabled(Level level) noexcept;
void write(Level level, fmt::string_view format, fmt::format_args arguments) noexcept;

template <typename... Args>
void trace(fmt::format_string<Args...> format, Args&&... arguments) noexcept {
    write(Level::Trace, format, fmt::make_format_args(arguments...));
}
template <typename... Args>
void debug(fmt::format_string<Args...> format, Args&&... arguments) noexcept {
    write(Level::Debug, format, fmt::make_format_args(arguments...));
}
template <typename... Args>
void info(fmt::format_string<Args...> format, Args&&... arguments) noexcept {
    write(Level::Info, format, fmt::make_format_args(arguments...));
}
template <typename... Args>
void warn(fmt::format_string<Args...> format, Args&&... arguments) noexcept {
    write(Level::Warn, format, fmt::make_format_args(arguments...));
}
template <typename... Args>
void error(fmt::format_string<Args...> format, Args&&... arguments) noexcept {
    write(Level::Error, format, fmt::make_format_args(arguments...));
}
template <typename... Args>
void critical(fmt::format_string<Args...> format, Args&&... arguments) noexcept {
    write(Level::Critical, format, fmt::make_format_args(arguments...));
}

}  // namespace log
}  // namespace larod
