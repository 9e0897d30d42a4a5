// SPDX-License-Identifier: Apache-2.0
// What the session sends to its client.
#pragma once

#include <memory>
#include <mutex>
#include <span>

#include "base/error.h"
#include "wire/channel.h"
#include "wire/codec.h"

namespace larod::session {

// Thread: any; datagrams are whole. A client that is gone is no error here: the reader sees it.
class Replies {
  public:
    explicit Replies(wire::Channel& channel) : channel_(channel) {}

    // These wait where the client does not read its replies.
    void done(uint64_t requestId);  // no allocation, no lock
    void failure(uint64_t requestId, const Error& error);

    // A failure because the session could get no memory for the request.
    void noMemory(uint64_t requestId);

    // These don't: false where they would have to, and nothing was sent.
    [[nodiscard]] bool tryDone(uint64_t requestId);
    [[nodiscard]] bool tryFailure(uint64_t requestId, const Error& error);

    // Left out where the client does not read.
    void note(uint64_t requestId, const std::string& text);

    // A reply of any size, with duplicates of `fds`. Throws Error(EINVAL) where it does not fit into a datagram.
    template <typename Message>
    void send(const Message& message, uint64_t requestId, std::span<const int> fds = {}) {
        const std::lock_guard lock(mutex_);
        if (!buffer_) {
            buffer_ = std::make_unique_for_overwrite<std::byte[]>(wire::kMaxDatagramBytes);
        }
        post(wire::encode(message, requestId, {buffer_.get(), wire::kMaxDatagramBytes}), fds, wire::Wait::Yes);
    }

  private:
    bool postDone(uint64_t requestId, wire::Wait wait);
    bool postFailure(uint64_t requestId, const Error& error, wire::Wait wait);
    bool post(std::span<const std::byte> bytes, std::span<const int> fds, wire::Wait wait);

    wire::Channel& channel_;
    std::mutex mutex_;  // guards buffer_
    std::unique_ptr<std::byte[]> buffer_;
};

}  // namespace larod::session
