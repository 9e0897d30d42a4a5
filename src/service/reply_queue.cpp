// SPDX-License-Identifier: Apache-2.0
#include "service/reply_queue.h"

#include <fcntl.h>

#include <cerrno>

#include "base/error.h"

namespace larod::service {

ReplyQueue::Outcome ReplyQueue::send(std::span<const std::byte> bytes, std::span<const int> fds, uint64_t nowNs) {
    if (kept_.empty() && channel_.send(bytes, fds, wire::Wait::No) != wire::Sent::WouldBlock) {
        return Outcome::Sent;
    }
    if (kept_.size() == kMaxKeptReplies) {
        return Outcome::GivenUp;
    }
    Reply reply{{bytes.begin(), bytes.end()}, {}, nowNs};
    for (const int fd : fds) {
        reply.fds.emplace_back(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
        if (!reply.fds.back()) {
            throw Error(LAROD_ERROR_ALLOC, "can't keep a descriptor: {}", errnoText(errno));
        }
    }
    kept_.push_back(std::move(reply));
    return Outcome::Kept;
}

ReplyQueue::Outcome ReplyQueue::sendKept(uint64_t nowNs) {
    while (!kept_.empty()) {
        const Reply& reply = kept_.front();
        std::vector<int> fds;
        for (const UniqueFd& fd : reply.fds) {
            fds.push_back(fd.get());
        }
        if (channel_.send(reply.bytes, fds, wire::Wait::No) == wire::Sent::WouldBlock) {
            return nowNs - reply.sinceNs < kReplyTimeoutNs ? Outcome::Kept : Outcome::GivenUp;
        }
        kept_.pop_front();
    }
    return Outcome::Sent;
}

}  // namespace larod::service
