// SPDX-License-Identifier: Apache-2.0
// The socket that clients connect to.
#pragma once

#include <sys/un.h>

#include <string>

#include "base/unique_fd.h"

namespace larod::service {

// Lives in the arbiter, which removes the file; the spawner accepts on the descriptor that it inherits.
class Listener {
  public:
    // Binds and listens; of services that start at once with one path, one does. Creates the directory where it is
    // missing; replaces the socket of a service that is gone, and no other file. Any user may connect that can reach
    // it. Throws Error(LAROD_ERROR_CONNECTION) with the path and the reason, also where another service is listening.
    explicit Listener(std::string path);
    ~Listener();  // removes the file, and the directory if it was made here
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    [[nodiscard]] int fd() const noexcept { return socket_.get(); }
    [[nodiscard]] const std::string& path() const noexcept { return path_; }

    // The spawner has it now: this process keeps the file, not the socket.
    void closeSocket() noexcept { socket_.reset(); }

  private:
    void listen(const sockaddr_un& address);

    std::string path_;
    std::string createdDirectory_;
    UniqueFd socket_;
    UniqueFd file_;  // the socket's file; while it is held, no other file has its inode number
};

}  // namespace larod::service
