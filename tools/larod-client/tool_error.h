// SPDX-License-Identifier: Apache-2.0
// The tool's exceptions, and the step from a larod call's result to it.
#pragma once

#include <fmt/format.h>

#include <cerrno>
#include <exception>
#include <string>
#include <string_view>
#include <utility>

#include "larod.h"

namespace larod::tools {

class ToolError : public std::exception {
  public:
    // `code` is a larodErrorCode or a positive errno.
    ToolError(int code, std::string text) : code_(code), text_(std::move(text)) {}

    [[nodiscard]] int code() const noexcept { return code_; }
    [[nodiscard]] const char* what() const noexcept override { return text_.c_str(); }

  private:
    int code_;
    std::string text_;
};

// A command line that is wrong whatever the service says: exit status 2.
class UsageError : public ToolError {
  public:
    explicit UsageError(std::string text) : ToolError(EINVAL, std::move(text)) {}
};

// "could not open 'x': No such file or directory", with errno as it stands.
[[nodiscard]] ToolError errnoError(std::string_view what);

// Receives the error of a larod call:
//
//     LarodError error;
//     if (!larodRunJob(conn, request, error.out())) {
//         throw error.toolError("Could not run the job");
//     }
class LarodError {
  public:
    LarodError() noexcept = default;
    ~LarodError() { larodClearError(&error_); }
    LarodError(const LarodError&) = delete;
    LarodError& operator=(const LarodError&) = delete;

    // Where the call puts its error. Releases the error of an earlier call.
    [[nodiscard]] larodError** out() noexcept {
        larodClearError(&error_);
        return &error_;
    }
    [[nodiscard]] int code() const noexcept { return error_ != nullptr ? error_->code : LAROD_ERROR_NONE; }
    [[nodiscard]] ToolError toolError(std::string_view what) const;

  private:
    larodError* error_ = nullptr;
};

}  // namespace larod::tools
