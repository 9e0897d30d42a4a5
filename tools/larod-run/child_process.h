// SPDX-License-Identifier: Apache-2.0
// A child that ends with its parent.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "larod-run/signals.h"
#include "unique_fd.h"

namespace larod::tools {

struct ChildSetup {
    std::vector<std::string> arguments;  // the first one is the program, searched in PATH when it has no slash
    // LAROD_SOCKET of the child; nothing: as it is.
    std::optional<std::string> larodSocket;
    // A service: a process group of its own, so that the terminal's Ctrl-C does not reach it; stdin is /dev/null,
    // stdout is `stdoutFd`; what it creates is this user's alone.
    bool service = false;
    int stdoutFd = -1;
};

// How a child ended, from waitid().
struct ChildEnd {
    bool signaled = false;
    int value = 0;  // the signal, or the exit status
};

[[nodiscard]] std::string describe(const ChildEnd& end);  // "exited with status 1", "was killed by signal 9 (Killed)"

// A running or ended child. It gets SIGTERM from the kernel when this process dies, however that happens; the exception
// is a set-uid program, which the kernel exempts. Not reaped children are killed by the destructor.
class ChildProcess {
  public:
    // Returns when the program runs. Throws RunError when it doesn't, with kExitNotFound or kExitCannotExecute for a
    // command and kExitOwnFailure for a service.
    ChildProcess(const ChildSetup& setup, const Signals& signals);
    ~ChildProcess();
    ChildProcess(const ChildProcess&) = delete;
    ChildProcess& operator=(const ChildProcess&) = delete;

    [[nodiscard]] pid_t pid() const noexcept { return pid_; }
    // Readable when the child has ended.
    [[nodiscard]] int pidFd() const noexcept { return pidFd_.get(); }

    void sendSignal(int signal) const noexcept;
    // To what is left of the group of a service. Before reap(): until then nobody else can have its number.
    void killGroup() const noexcept;

    // Waits for the end.
    [[nodiscard]] ChildEnd reap();

  private:
    bool service_;
    pid_t pid_ = -1;  // -1 once reaped
    UniqueFd pidFd_;
};

}  // namespace larod::tools
