// SPDX-License-Identifier: Apache-2.0
// A program at a terminal of its own, with a test in the place of the person.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>

#include "base/unique_fd.h"
#include "integration/tools/program.h"

namespace larod::test {

// stdin, stdout and stderr of the program are a terminal, 80 columns wide, that is its controlling one. The destructor
// kills what still runs.
class Terminal {
  public:
    explicit Terminal(const ProgramSetup& setup);
    ~Terminal();
    Terminal(const Terminal&) = delete;
    Terminal& operator=(const Terminal&) = delete;

    // Keys, as the terminal sends them: "\n" for Return, "\t", "\x03" for Ctrl-C, "\x1b[A" for the arrow up.
    void type(const std::string& keys) const;

    [[nodiscard]] pid_t pid() const noexcept { return pid_; }

    // Reads on until `text` stands in what came after the last such text, and returns what came up to there; the test
    // fails when the program ends before, or shows nothing of it for `patience`.
    std::string waitFor(const std::string& text, std::chrono::milliseconds patience = kPatience);

    // Reads all that still comes and waits for the end. Once. The exit status; -1 where a signal ended it. A program
    // that goes on for `patience` is killed, and the test fails.
    int wait(std::chrono::milliseconds patience = kPatience);
    // What came after the last text that was waited for.
    [[nodiscard]] const std::string& rest() const noexcept { return unread_; }

  private:
    using Clock = std::chrono::steady_clock;

    // More than a busy machine needs.
    static constexpr std::chrono::seconds kPatience{60};

    enum class Reading : uint8_t { Some, End, TimeUp };
    Reading readMore(Clock::time_point deadline);

    pid_t pid_ = -1;
    UniqueFd terminal_;
    std::string unread_;
};

}  // namespace larod::test
