// SPDX-License-Identifier: Apache-2.0
// The exit statuses of larod-run, and its one exception type, which carries one.
#pragma once

#include <exception>
#include <string>
#include <utility>

namespace larod::tools {

// As env(1) and timeout(1) have them.
inline constexpr int kExitOwnFailure = 125;  // of larod-run or its service, wrong usage included; nothing was run
inline constexpr int kExitCannotExecute = 126;
inline constexpr int kExitNotFound = 127;
inline constexpr int kExitSignalBase = 128;  // plus the number of the signal that ended the command

class RunError : public std::exception {
  public:
    RunError(int exitStatus, std::string text) : exitStatus_(exitStatus), text_(std::move(text)) {}

    [[nodiscard]] int exitStatus() const noexcept { return exitStatus_; }
    [[nodiscard]] const char* what() const noexcept override { return text_.c_str(); }

  private:
    int exitStatus_;
    std::string text_;
};

// "text: reason", with errno as it stands.
[[nodiscard]] RunError errnoError(std::string text);

}  // namespace larod::tools
