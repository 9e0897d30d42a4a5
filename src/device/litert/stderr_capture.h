// SPDX-License-Identifier: Apache-2.0
// What is written to descriptor 2 while the object lives, instead of going to the terminal. LiteRT tells why a
// compilation failed there and nowhere else. Our own log has a descriptor of its own (base/log.h).
#pragma once

#include <mutex>
#include <string>

#include "base/unique_fd.h"

namespace larod::device::litert {

// Process-wide: one at a time, the next one waits. Needs pipe2, fcntl(F_DUPFD_CLOEXEC) and dup3 only.
class StderrCapture {
  public:
    StderrCapture();
    ~StderrCapture();
    StderrCapture(const StderrCapture&) = delete;
    StderrCapture& operator=(const StderrCapture&) = delete;

    // Ends the capture and returns the text, at most 4 KB of it (the pipe drops what is written beyond its size).
    [[nodiscard]] std::string finish();

  private:
    void restore() noexcept;

    std::unique_lock<std::mutex> lock_;
    UniqueFd saved_;
    UniqueFd readEnd_;
};

}  // namespace larod::device::litert
