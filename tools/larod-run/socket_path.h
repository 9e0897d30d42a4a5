// SPDX-License-Identifier: Apache-2.0
// Where a private service's socket stands: in a folder that exists as long as the service.
#pragma once

#include <string>

namespace larod::tools {

struct SocketPath {
    std::string directory;  // not there yet: the service creates it with its socket, and removes it at its end
    std::string socket;
};

// A name that nobody else uses or can guess, under XDG_RUNTIME_DIR where that is usable and short enough for a socket's
// address, else under /tmp. Throws RunError.
[[nodiscard]] SocketPath chooseSocketPath();

// Throws RunError unless the folder is this user's alone. In /tmp somebody else could have been first.
void checkPrivate(const SocketPath& path);

// Removes what the service left, if it was killed. Errors don't matter: in most cases nothing is there.
void removeSocket(const SocketPath& path) noexcept;

}  // namespace larod::tools
