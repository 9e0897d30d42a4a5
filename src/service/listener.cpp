// SPDX-License-Identifier: Apache-2.0
#include "service/listener.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/error.h"
#include "service/place_lock.h"

namespace larod::service {
namespace {

constexpr int kBacklog = 128;

// Throws unless the file at `path` is a socket that nobody listens at any more.
void checkAbandoned(const std::string& path, const sockaddr* address, socklen_t length) {
    const UniqueFd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const int reason = ::connect(socket.get(), address, length) == 0 ? 0 : errno;
    if (reason == 0 || reason == EAGAIN) {
        throw Error(LAROD_ERROR_CONNECTION, "another service listens at '{}'; end it, or choose another --socket",
                    path);
    }
    struct stat status = {};
    if (reason != ECONNREFUSED || ::lstat(path.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) {
        throw Error(LAROD_ERROR_CONNECTION,
                    "can't listen at '{}': it exists, and a larod service did not leave it there; remove it, or choose "
                    "another --socket",
                    path);
    }
}

}  // namespace

Listener::Listener(std::string path) : path_(std::move(path)) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    if (path_.empty() || path_.size() >= sizeof(address.sun_path)) {
        throw Error(LAROD_ERROR_CONNECTION, "socket path '{}' has {} characters; expected 1 to {}", path_, path_.size(),
                    sizeof(address.sun_path) - 1);
    }
    std::memcpy(address.sun_path, path_.data(), path_.size());
    const std::string directory = std::filesystem::path(path_).parent_path();
    if (!directory.empty()) {
        if (::mkdir(directory.c_str(), 0755) == 0) {
            createdDirectory_ = directory;
        } else if (errno != EEXIST) {
            throw Error(LAROD_ERROR_CONNECTION,
                        "can't listen at '{}': can't make the directory '{}': {}; choose another place with --socket",
                        path_, directory, errnoText(errno));
        }
    }
    try {
        if (std::error_code ignored; std::filesystem::is_directory(path_, ignored)) {
            throw Error(LAROD_ERROR_CONNECTION,
                        "can't listen at '{}': it is a directory; name a file in it with --socket, for instance '{}'",
                        path_, (std::filesystem::path(path_) / "larod.sock").string());
        }
        listen(address);
    } catch (const Error&) {
        if (!createdDirectory_.empty()) {
            ::rmdir(createdDirectory_.c_str());
        }
        throw;
    }
}

void Listener::listen(const sockaddr_un& address) {
    const PlaceLock lock(path_);
    socket_.reset(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);
    int result = ::bind(socket_.get(), generic, sizeof(address));
    if (result != 0 && errno == EADDRINUSE) {
        checkAbandoned(path_, generic, sizeof(address));
        ::unlink(path_.c_str());  // left by a service that was killed
        result = ::bind(socket_.get(), generic, sizeof(address));
    }
    if (result != 0 || ::chmod(path_.c_str(), 0666) != 0 || ::listen(socket_.get(), kBacklog) != 0) {
        throw Error(LAROD_ERROR_CONNECTION, "can't listen at '{}': {}", path_, errnoText(errno));
    }
    file_.reset(::open(path_.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
}

Listener::~Listener() {
    try {
        const PlaceLock lock(path_);
        // Somebody may have put another socket there.
        struct stat own = {};
        struct stat there = {};
        if (::fstat(file_.get(), &own) == 0 && ::lstat(path_.c_str(), &there) == 0 && own.st_dev == there.st_dev &&
            own.st_ino == there.st_ino) {
            ::unlink(path_.c_str());
        }
    } catch (const Error&) {
        // No place for a lock any more (a full disk): the file stays, and the next service replaces it.
    }
    if (!createdDirectory_.empty()) {
        ::rmdir(createdDirectory_.c_str());
    }
}

}  // namespace larod::service
