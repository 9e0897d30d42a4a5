// SPDX-License-Identifier: Apache-2.0
// A service of the measurement's own.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

namespace larod::bench {

// Starts the `larod` that was built with this program on a socket in a new folder, and ends it.
class ServiceProcess {
  public:
    // `cpu`: where the service runs. Throws Error where it does not get ready.
    ServiceProcess(unsigned threads, std::optional<int> cpu);
    ~ServiceProcess();
    ServiceProcess(const ServiceProcess&) = delete;
    ServiceProcess& operator=(const ServiceProcess&) = delete;

    [[nodiscard]] const std::string& socketPath() const noexcept { return socketPath_; }

  private:
    std::string folder_;
    std::string socketPath_;
    pid_t pid_ = -1;
};

}  // namespace larod::bench
