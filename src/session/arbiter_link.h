// SPDX-License-Identifier: Apache-2.0
// The session's end of its control socket: what it may ask the arbiter for.
#pragma once

#include <array>
#include <memory>
#include <mutex>
#include <vector>

#include "session/control_messages.h"
#include "wire/channel.h"
#include "wire/codec.h"

namespace larod::session {

// Thread: any. One request is under way at a time; notices go out beside it. An arbiter that is gone ends the session:
// every call throws Error(LAROD_ERROR_CONNECTION) then. A refusal by the arbiter is thrown as the Error that it sent.
class ArbiterLink {
  public:
    explicit ArbiterLink(UniqueFd socket) : channel_(std::move(socket)) {}

    // Sends `request` and waits for its `Reply`; the fds that came with it are moved to `fds`.
    template <typename Reply, typename Request>
    Reply call(const Request& request, std::span<const int> sentFds = {}, std::vector<UniqueFd>* fds = nullptr) {
        const std::lock_guard lock(mutex_);
        const auto bytes = wire::encode(request, ++lastId_, {buffer_.get(), wire::kMaxDatagramBytes});
        exchange(bytes, sentFds, Reply::kType);
        Reply reply;
        wire::decode(datagram_.bytes(), reply);
        if (fds != nullptr) {
            *fds = std::move(datagram_.fds);
        }
        return reply;
    }

    // Sends a message that has no reply. No allocation, no lock.
    template <typename Notice>
    void notify(const Notice& notice) {
        std::array<std::byte, 64> buffer;
        sendNotice(wire::encode(notice, 0, buffer));
    }

    // As notify(), for notices of any size.
    template <typename Notice>
    void notifyLarge(const Notice& notice) {
        const std::lock_guard lock(mutex_);
        sendNotice(wire::encode(notice, 0, {buffer_.get(), wire::kMaxDatagramBytes}));
    }

  private:
    void exchange(std::span<const std::byte> request, std::span<const int> sentFds, wire::MessageType replyType);
    void sendNotice(std::span<const std::byte> notice);

    wire::Channel channel_;
    std::mutex mutex_;  // guards what follows
    uint64_t lastId_ = 0;
    wire::Datagram datagram_;
    std::unique_ptr<std::byte[]> buffer_ = std::make_unique_for_overwrite<std::byte[]>(wire::kMaxDatagramBytes);
};

}  // namespace larod::session
