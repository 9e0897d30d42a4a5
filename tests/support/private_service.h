// SPDX-License-Identifier: Apache-2.0
// A service for one test: its own folder, its own socket, its own process.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "support/temp_dir.h"

namespace larod::test {

// Starts `larod`, without the configuration file of this machine, and waits for its ready line. The constructor also
// sets LAROD_SOCKET for this process, so one test uses one service at a time. The destructor ends it with SIGTERM and
// expects exit status 0, unless it was killed or waited for before.
class PrivateService {
  public:
    explicit PrivateService(std::vector<std::string> options = {});
    ~PrivateService();
    PrivateService(const PrivateService&) = delete;
    PrivateService& operator=(const PrivateService&) = delete;

    [[nodiscard]] const std::string& socketPath() const noexcept { return socketPath_; }
    [[nodiscard]] const std::string& readyLine() const noexcept { return readyLine_; }
    [[nodiscard]] pid_t pid() const noexcept { return pid_; }

    // Everything that it has logged so far.
    [[nodiscard]] std::string log() const;

    // Processes whose parent is the service's spawner: the sessions.
    [[nodiscard]] std::vector<pid_t> sessionPids() const;
    [[nodiscard]] pid_t spawnerPid() const;

    void signal(int number) const;
    // Waits for its end; the wait status.
    int wait();

  private:
    TempDir directory_;
    std::string socketPath_;
    std::string readyLine_;
    UniqueFd log_;
    pid_t pid_ = -1;
};

// Waits until `condition` holds, for as long as a busy machine may take; false where it never did. For conditions that
// nothing announces (another process's descriptors, its end); never as a pause.
template <typename Condition>
[[nodiscard]] bool eventually(Condition condition);

[[nodiscard]] bool pollOnce(int attempt);  // one step of eventually(); false where the time is up

template <typename Condition>
bool eventually(Condition condition) {
    for (int attempt = 0;; ++attempt) {
        if (condition()) {
            return true;
        }
        if (!pollOnce(attempt)) {
            return false;
        }
    }
}

}  // namespace larod::test
