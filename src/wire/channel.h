// SPDX-License-Identifier: Apache-2.0
// One end of a SOCK_SEQPACKET connection: the only sendmsg and recvmsg of the project.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "wire/limits.h"

namespace larod::wire {

// A received message and its fds, which it owns until someone takes them. Kept and used again for the next message: the
// buffer is allocated once and only touched as far as messages reach.
class Datagram {
  public:
    Datagram() : buffer_(std::make_unique_for_overwrite<std::byte[]>(kMaxDatagramBytes)) {}

    [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return {buffer_.get(), size_}; }

    // The fds that came along, in order. Those that nobody moved out are closed by the next receive().
    std::vector<UniqueFd> fds;

  private:
    friend class Channel;
    std::unique_ptr<std::byte[]> buffer_;
    size_t size_ = 0;
};

enum class Wait : uint8_t { Yes, No };

enum class Received : uint8_t {
    Message,
    WouldBlock,  // only with Wait::No
    Closed,      // the peer is gone and everything it sent has been read
    Malformed,   // larger than a datagram may be, or fds that did not fit: dropped, all its fds closed
};

enum class Sent : uint8_t {
    Yes,
    WouldBlock,  // only with Wait::No: the peer's queue is full, or the kernel holds too many fds in flight
    PeerGone,
};

// Thread: send() and receive() may be called from any threads at once; the kernel keeps datagrams whole.
class Channel {
  public:
    explicit Channel(UniqueFd socket) noexcept : socket_(std::move(socket)) {}

    [[nodiscard]] int fd() const noexcept { return socket_.get(); }

    // Connection resets do not end the stream: what the peer sent before is still read, then Closed (processes.md 5).
    // Interrupted calls are repeated. Throws Error(LAROD_ERROR_CONNECTION) for a socket that is no longer one.
    [[nodiscard]] Received receive(Datagram& datagram, Wait wait);

    // Duplicates of `fds` go along; the caller keeps its own. Never raises SIGPIPE. Throws Error(LAROD_ERROR_FD) where
    // one of the fds is not open, Error(LAROD_ERROR_CONNECTION) for other failures.
    [[nodiscard]] Sent send(std::span<const std::byte> bytes, std::span<const int> fds, Wait wait);

    // Tells the peer that nothing more comes, and that nothing more is read.
    void shutdown() noexcept;

  private:
    UniqueFd socket_;
};

// How long a connection may wait where those that a service has not accepted yet fill its queue.
inline constexpr std::chrono::milliseconds kConnectTimeout{10'000};

// Connects to the socket at `path`. Throws Error(LAROD_ERROR_CONNECTION) with the path and what to do.
[[nodiscard]] UniqueFd connectSocket(const std::string& path, std::chrono::milliseconds timeout = kConnectTimeout);

// Two connected ends. Throws Error(LAROD_ERROR_CONNECTION).
[[nodiscard]] std::pair<UniqueFd, UniqueFd> makeSocketPair();

// The socket that clients connect to where nothing else is said: $LAROD_SOCKET, else `otherwise`.
[[nodiscard]] std::string defaultSocketPath(const std::string& otherwise = "/run/larod/larod.sock");

}  // namespace larod::wire
