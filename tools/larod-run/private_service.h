// SPDX-License-Identifier: Apache-2.0
// A larod service on a socket of its own, for as long as the object exists.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "larod-run/child_process.h"
#include "larod-run/signals.h"
#include "larod-run/socket_path.h"
#include "unique_fd.h"

namespace larod::tools {

// A start takes a fraction of a second; a loaded machine or a sanitizer build takes longer, but not this long.
inline constexpr std::chrono::seconds kServiceStartLimit{60};
// Time for the service's orderly end after SIGTERM, before SIGKILL.
inline constexpr std::chrono::seconds kServiceStopGrace{5};

class PrivateService {
  public:
    // Returns when the service is ready, which it tells by a line on its stdout. Throws RunError when it ends or isn't
    // ready within kServiceStartLimit, and with 128 + n when signal n asks larod-run to end meanwhile.
    PrivateService(const std::string& program, const std::vector<std::string>& arguments, const Signals& signals);

    // Ends the service, and removes its socket and folder if it did not.
    ~PrivateService();
    PrivateService(const PrivateService&) = delete;
    PrivateService& operator=(const PrivateService&) = delete;

    [[nodiscard]] const std::string& socket() const noexcept { return path_.socket; }
    // Readable when the service has ended.
    [[nodiscard]] int pidFd() const noexcept { return process_.pidFd(); }
    // How it ended by itself. Once, when pidFd() is readable.
    [[nodiscard]] ChildEnd takeEnd();

    // Readable when the service printed something more; -1 once its stdout is at its end.
    [[nodiscard]] int stdoutFd() const noexcept { return stdout_.readEnd.get(); }
    // Reads and drops that, so that the service never waits for a reader.
    void dropOutput() noexcept;

  private:
    struct Pipe {
        UniqueFd readEnd;
        UniqueFd writeEnd;
    };
    static Pipe makePipe();

    void waitUntilReady(const Signals& signals);
    void stop() noexcept;

    SocketPath path_;
    Pipe stdout_;
    ChildProcess process_;
};

}  // namespace larod::tools
