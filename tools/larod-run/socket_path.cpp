// SPDX-License-Identifier: Apache-2.0
// Where a private service's socket stands: in a folder that exists as long as the service.
#include "larod-run/socket_path.h"

#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

#include "larod-run/run_error.h"

namespace larod::tools {

namespace {

constexpr const char* kSocketName = "larod.sock";

bool usableAsParent(const std::string& directory) {
    struct stat status {};
    return directory.starts_with('/') && ::stat(directory.c_str(), &status) == 0 && S_ISDIR(status.st_mode) &&
           ::access(directory.c_str(), W_OK | X_OK) == 0;
}

bool fits(const std::string& socket) {
    return socket.size() < sizeof(sockaddr_un::sun_path);
}

}  // namespace

SocketPath chooseSocketPath() {
    uint64_t random = 0;
    if (::getrandom(&random, sizeof random, 0) != static_cast<ssize_t>(sizeof random)) {
        throw errnoError("could not get random bytes");
    }
    const std::string name = fmt::format("larod-run-{:016x}", random);
    // NOLINTNEXTLINE(concurrency-mt-unsafe): larod-run has one thread
    const char* runtime = std::getenv("XDG_RUNTIME_DIR");
    for (const std::string& parent : {std::string(runtime != nullptr ? runtime : ""), std::string("/tmp")}) {
        if (!usableAsParent(parent)) {
            continue;
        }
        const std::string directory = fmt::format("{}/{}", parent, name);
        const std::string socket = fmt::format("{}/{}", directory, kSocketName);
        if (fits(socket)) {
            return {directory, socket};
        }
    }
    throw RunError(kExitOwnFailure, "no place for a socket: neither XDG_RUNTIME_DIR nor /tmp can be written");
}

void checkPrivate(const SocketPath& path) {
    struct stat status {};
    if (::lstat(path.directory.c_str(), &status) != 0) {
        throw errnoError(fmt::format("the service did not create '{}'", path.directory));
    }
    if (!S_ISDIR(status.st_mode) || status.st_uid != ::geteuid() || (status.st_mode & 077) != 0) {
        throw RunError(kExitOwnFailure, fmt::format("'{}' is not a folder of this user alone", path.directory));
    }
}

void removeSocket(const SocketPath& path) noexcept {
    ::unlink(path.socket.c_str());
    ::rmdir(path.directory.c_str());
}

}  // namespace larod::tools
