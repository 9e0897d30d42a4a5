// SPDX-License-Identifier: Apache-2.0
#include "bench/ping_pong.h"

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <exception>

#include "base/error.h"

namespace larod::bench {
namespace {

using Message = std::array<std::byte, 64>;

bool receive(int socket, Message& message) {
    std::array<std::byte, 256> control{};
    iovec data = {message.data(), message.size()};
    msghdr header = {};
    header.msg_iov = &data;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    return ::recvmsg(socket, &header, MSG_CMSG_CLOEXEC) == static_cast<ssize_t>(message.size());
}

bool send(int socket, Message& message) {
    iovec data = {message.data(), message.size()};
    msghdr header = {};
    header.msg_iov = &data;
    header.msg_iovlen = 1;
    return ::sendmsg(socket, &header, MSG_NOSIGNAL) == static_cast<ssize_t>(message.size());
}

bool answer(int socket, std::optional<int> cpu, const std::function<PingPong::Work()>& makeWork) noexcept {
    try {
        if (cpu) {
            runOnCpu(*cpu);
        }
        const PingPong::Work work = makeWork ? makeWork() : PingPong::Work([] {});
        Message message{};
        while (receive(socket, message)) {
            work();
            if (!send(socket, message)) {
                break;
            }
        }
        return true;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "larod-bench: the ping-pong's other side: %s\n", error.what());
        return false;
    }
}

}  // namespace

void runOnCpu(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (cpu < 0 || cpu >= CPU_SETSIZE) {
        throw Error(EINVAL, "there is no CPU {}", cpu);
    }
    CPU_SET(static_cast<unsigned>(cpu), &set);
    if (::sched_setaffinity(0, sizeof(set), &set) != 0) {
        throw Error(EINVAL, "can't run on CPU {}: {}", cpu, errnoText(errno));
    }
}

PingPong::PingPong(std::optional<int> cpu, const std::function<Work()>& makeWork) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        throw Error(errno, "can't make a socket pair: {}", errnoText(errno));
    }
    UniqueFd ours(ends[0]);
    const UniqueFd theirs(ends[1]);
    pid_ = ::fork();
    if (pid_ < 0) {
        throw Error(errno, "can't fork: {}", errnoText(errno));
    }
    if (pid_ == 0) {
        ours.reset();
        // Without an answer, the other side sees the end of the connection.
        ::_exit(answer(theirs.get(), cpu, makeWork) ? 0 : 1);
    }
    socket_ = std::move(ours);
}

PingPong::~PingPong() {
    socket_.reset();
    ::waitpid(pid_, nullptr, 0);
}

void PingPong::once() const {
    Message message{};
    if (!send(socket_.get(), message) || !receive(socket_.get(), message)) {
        throw Error(LAROD_ERROR_CONNECTION, "the ping-pong's other side is gone");
    }
}

}  // namespace larod::bench
