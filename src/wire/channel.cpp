// SPDX-License-Identifier: Apache-2.0
#include "wire/channel.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/error.h"

namespace larod::wire {
namespace {

// Room for every fd that the kernel can pass: with less, the excess would be cut off.
struct ControlBuffer {
    alignas(cmsghdr) std::byte bytes[CMSG_SPACE(kMaxDatagramFds * sizeof(int))];
};

// Owns every fd of the message before anything judges it.
void collectFds(msghdr& message, std::vector<UniqueFd>& fds) {
    for (cmsghdr* control = CMSG_FIRSTHDR(&message); control != nullptr; control = CMSG_NXTHDR(&message, control)) {
        if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        const size_t count = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; ++i) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(control) + i * sizeof(int), sizeof(int));
            fds.emplace_back(fd);
        }
    }
}

void setSendTimeout(int socket, std::chrono::microseconds timeout) noexcept {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(timeout);
    timeval value = {};
    value.tv_sec = static_cast<time_t>(seconds.count());
    value.tv_usec = static_cast<suseconds_t>((timeout - seconds).count());
    ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &value, sizeof(value));  // can't fail on a socket
}

}  // namespace

Received Channel::receive(Datagram& datagram, Wait wait) {
    datagram.fds.clear();
    datagram.size_ = 0;
    datagram.fds.reserve(kMaxDatagramFds);  // so that taking ownership below can't fail
    ControlBuffer control;
    iovec data = {datagram.buffer_.get(), kMaxDatagramBytes};
    msghdr message = {};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    for (;;) {
        message.msg_control = control.bytes;
        message.msg_controllen = sizeof(control.bytes);
        const ssize_t size =
            ::recvmsg(socket_.get(), &message, MSG_CMSG_CLOEXEC | (wait == Wait::No ? MSG_DONTWAIT : 0));
        if (size > 0) {
            collectFds(message, datagram.fds);
            if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
                datagram.fds.clear();
                return Received::Malformed;
            }
            datagram.size_ = static_cast<size_t>(size);
            return Received::Message;
        }
        if (size == 0) {
            // An empty datagram looks like the end of the stream; we send none, and one from a client ends its session.
            collectFds(message, datagram.fds);
            datagram.fds.clear();
            return Received::Closed;
        }
        switch (errno) {
            case EINTR:
            case ECONNRESET:  // the peer died with messages unread; what it had sent before is still there
                continue;
            case EAGAIN:
                return Received::WouldBlock;
            case ENOTCONN:
                return Received::Closed;
            default:
                throw Error(LAROD_ERROR_CONNECTION, "can't receive from the peer: {}", errnoText(errno));
        }
    }
}

Sent Channel::send(std::span<const std::byte> bytes, std::span<const int> fds, Wait wait) {
    ControlBuffer control;
    iovec data = {const_cast<std::byte*>(bytes.data()), bytes.size()};  // sendmsg only reads it
    msghdr message = {};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    if (!fds.empty()) {
        if (fds.size() > kMaxDatagramFds) {
            throw Error(EINVAL, "{} fds in one message, at most {} are possible", fds.size(), kMaxDatagramFds);
        }
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(fds.size_bytes());
        cmsghdr* header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(fds.size_bytes());
        std::memcpy(CMSG_DATA(header), fds.data(), fds.size_bytes());
    }
    for (;;) {
        if (::sendmsg(socket_.get(), &message, MSG_NOSIGNAL | (wait == Wait::No ? MSG_DONTWAIT : 0)) >= 0) {
            return Sent::Yes;
        }
        switch (errno) {
            case EINTR:
                continue;
            case EAGAIN:
                return Sent::WouldBlock;
            case ETOOMANYREFS:  // this user has more fds in flight than it may have open; some will be received soon
                if (wait == Wait::No) {
                    return Sent::WouldBlock;
                }
                throw Error(LAROD_ERROR_FD, "can't pass {} fds: too many are in flight; raise the limit of open files",
                            fds.size());
            case EPIPE:
            case ECONNRESET:
            case ENOTCONN:
                return Sent::PeerGone;
            case EBADF:
                if (fds.empty()) {
                    throw Error(LAROD_ERROR_CONNECTION, "the connection's socket has been closed");
                }
                throw Error(LAROD_ERROR_FD, "one of the {} fds of the request is not open", fds.size());
            case EMSGSIZE:
                throw Error(EINVAL, "a message of {} bytes is larger than this system allows", bytes.size());
            default:
                throw Error(LAROD_ERROR_CONNECTION, "can't send to the peer: {}", errnoText(errno));
        }
    }
}

void Channel::shutdown() noexcept {
    ::shutdown(socket_.get(), SHUT_RDWR);
}

UniqueFd connectSocket(const std::string& path, std::chrono::milliseconds timeout) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof(address.sun_path)) {
        throw Error(LAROD_ERROR_CONNECTION, "socket path '{}' has {} characters; expected 1 to {}", path, path.size(),
                    sizeof(address.sun_path) - 1);
    }
    std::memcpy(address.sun_path, path.data(), path.size());
    UniqueFd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    if (!socket) {
        throw Error(LAROD_ERROR_CONNECTION, "can't create a socket: {}", errnoText(errno));
    }
    // connect() waits for room in the listener's queue, and poll() can't tell of it. The send timeout limits that wait.
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    int result = -1;
    do {
        const auto left = std::chrono::ceil<std::chrono::microseconds>(deadline - std::chrono::steady_clock::now());
        setSendTimeout(socket.get(), std::max(left, std::chrono::microseconds(1)));  // 0 would be for ever
        result = ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
    } while (result != 0 && errno == EINTR);
    if (result != 0 && errno == EAGAIN) {
        throw Error(LAROD_ERROR_CONNECTION,
                    "the larod service at '{}' accepted no connection within {} ms; is it stopped, or overloaded?",
                    path, timeout.count());
    }
    if (result != 0) {
        throw Error(LAROD_ERROR_CONNECTION,
                    "can't connect to the larod service at '{}': {}. Is the service running? Start 'larod', or name "
                    "another socket "
                    "in the environment variable LAROD_SOCKET",
                    path, errnoText(errno));
    }
    setSendTimeout(socket.get(), std::chrono::microseconds(0));
    return socket;
}

std::pair<UniqueFd, UniqueFd> makeSocketPair() {
    int fds[2] = {-1, -1};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0) {
        throw Error(LAROD_ERROR_CONNECTION, "can't create a socket pair: {}", errnoText(errno));
    }
    return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

std::string defaultSocketPath(const std::string& otherwise) {
    const char* path = ::secure_getenv("LAROD_SOCKET");
    return path != nullptr && *path != '\0' ? path : otherwise;
}

}  // namespace larod::wire
