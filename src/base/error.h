// SPDX-License-Identifier: Apache-2.0
// The one exception type. It is caught only at the edges: the C API guard, the client's reader, session dispatch, the
// job runner and main. Ordinary outcomes (peer gone, queue full, would block) are return values.
#pragma once

#include <fmt/format.h>

#include <exception>
#include <string>
#include <utility>

#include "larod.h"

namespace larod {

class Error : public std::exception {
  public:
    // `code` is a larodErrorCode or a positive errno. `text` is for a person: what was expected, what came, what to do.
    Error(int code, std::string text) : code_(code), text_(std::move(text)) {}

    template <typename First, typename... Rest>
    Error(int code, fmt::format_string<First, Rest...> format, First&& first, Rest&&... rest)
        : code_(code), text_(fmt::format(format, std::forward<First>(first), std::forward<Rest>(rest)...)) {}

    [[nodiscard]] int code() const noexcept { return code_; }
    [[nodiscard]] const std::string& text() const noexcept { return text_; }
    [[nodiscard]] const char* what() const noexcept override { return text_.c_str(); }

  private:
    int code_;
    std::string text_;
};

// The text of an errno value, from any thread.
[[nodiscard]] std::string errnoText(int errnum);

}  // namespace larod
