// SPDX-License-Identifier: Apache-2.0
// The way of answers to one session: those that find no room wait here, and not for ever.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "base/unique_fd.h"
#include "wire/channel.h"

namespace larod::service {

// A session asks for one thing at a time; more answers than that wait only for one that does not read them.
inline constexpr size_t kMaxKeptReplies = 8;
inline constexpr uint64_t kReplyTimeoutNs = 10'000'000'000;

// Thread: the arbiter's.
class ReplyQueue {
  public:
    enum class Outcome : uint8_t {
        Sent,     // nothing waits; so also where the session is gone
        Kept,     // the peer's queue is full, or the kernel holds too many fds in flight: call sendKept() later
        GivenUp,  // too many wait, or one waits for too long
    };

    explicit ReplyQueue(wire::Channel& channel) noexcept : channel_(channel) {}
    ReplyQueue(const ReplyQueue&) = delete;
    ReplyQueue& operator=(const ReplyQueue&) = delete;

    // Answers leave in their order. What is kept is a copy, with duplicates of the fds.
    [[nodiscard]] Outcome send(std::span<const std::byte> bytes, std::span<const int> fds, uint64_t nowNs);
    [[nodiscard]] Outcome sendKept(uint64_t nowNs);

  private:
    struct Reply {
        std::vector<std::byte> bytes;
        std::vector<UniqueFd> fds;
        uint64_t sinceNs;
    };

    wire::Channel& channel_;
    std::deque<Reply> kept_;
};

}  // namespace larod::service
