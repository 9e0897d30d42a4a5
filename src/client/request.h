// SPDX-License-Identifier: Apache-2.0
// One request and its reply, as the connection sees them: something to encode, and something to decode into.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"
#include "client/job_request.h"
#include "larod.h"
#include "wire/channel.h"
#include "wire/codec.h"
#include "wire/limits.h"
#include "wire/messages.h"

namespace larod::client {

// What is known only when a request is sent.
struct SendContext {
    uint64_t requestId = 0;
    uint64_t connectionSerial = 0;
    bool onlyRequest = false;  // wire::RunJob::onlyRequest
    bool explain = false;      // wire::RunJob::explain
};

// Where requests are encoded. A connection keeps one, so that sending does not allocate.
struct SendBuffer {
    SendBuffer() : bytes(std::make_unique_for_overwrite<std::byte[]>(wire::kMaxDatagramBytes)) {}

    [[nodiscard]] std::span<std::byte> span() noexcept { return {bytes.get(), wire::kMaxDatagramBytes}; }

    std::unique_ptr<std::byte[]> bytes;
    std::vector<int> fds;  // borrowed from the application
    wire::RunJob job;
};

class Request {
  public:
    virtual ~Request() = default;

    // Gives the datagram, and puts the fds that go along into buffer.fds. May be called again for another attempt.
    [[nodiscard]] virtual std::span<const std::byte> encode(const SendContext& context, SendBuffer& buffer) const = 0;

    // Called when sending failed for a bad fd: throws Error(LAROD_ERROR_FD) with a text that says which.
    virtual void throwIfFdClosed(uint64_t connectionSerial) const = 0;
};

// A request that is its message, and at most one fd.
template <class Message>
class MessageRequest final : public Request {
  public:
    explicit MessageRequest(const Message& message, int fd = -1) noexcept : message_(message), fd_(fd) {}

    std::span<const std::byte> encode(const SendContext& context, SendBuffer& buffer) const override {
        buffer.fds.clear();
        if (fd_ >= 0) {
            buffer.fds.push_back(fd_);
        }
        return wire::encode(message_, context.requestId, buffer.span());
    }

    void throwIfFdClosed(uint64_t) const override { throw Error(LAROD_ERROR_FD, "fd {} is not open", fd_); }

  private:
    const Message& message_;
    int fd_;
};

class JobRunRequest final : public Request {
  public:
    JobRunRequest(const larodJobRequest& job, bool syncNative) noexcept : job_(job), syncNative_(syncNative) {}

    std::span<const std::byte> encode(const SendContext& context, SendBuffer& buffer) const override {
        job_.fill(buffer.job, buffer.fds, context.connectionSerial);
        buffer.job.onlyRequest = context.onlyRequest;
        buffer.job.syncNative = syncNative_;
        buffer.job.explain = context.explain;
        return wire::encode(buffer.job, context.requestId, buffer.span());
    }

    void throwIfFdClosed(uint64_t connectionSerial) const override { job_.throwIfFdClosed(connectionSerial); }

  private:
    const larodJobRequest& job_;
    bool syncNative_;
};

// Filled by whichever thread reads the reply.
class Reply {
  public:
    explicit Reply(wire::MessageType messageType) noexcept : type(messageType) {}
    virtual ~Reply() = default;

    // Takes the message, whose type has been checked. Throws Error(LAROD_ERROR_CONNECTION) for a malformed one.
    virtual void read(wire::Datagram& datagram) = 0;

    const wire::MessageType type;
    std::optional<Error> failure;  // what the session answered instead
    bool lost = false;             // the connection ended before an answer came
};

template <class Message>
class MessageReply : public Reply {
  public:
    MessageReply() noexcept : Reply(Message::kType) {}

    void read(wire::Datagram& datagram) override {
        wire::decode(datagram.bytes(), message);
        size_t expectedFds = 0;
        if constexpr (kBringsFds) {
            expectedFds = message.tensors.size();
        }
        if (datagram.fds.size() != expectedFds) {
            throw Error(LAROD_ERROR_CONNECTION, "malformed message of type {}: {} fds came with it, expected {}",
                        static_cast<uint32_t>(type), datagram.fds.size(), expectedFds);
        }
        if constexpr (kBringsFds) {
            fds = std::move(datagram.fds);
        }
    }

    Message message;
    std::vector<UniqueFd> fds;

  private:
    static constexpr bool kBringsFds = std::is_same_v<Message, wire::TensorsAllocated>;  // one a tensor
};

// A request whose outcome goes to a callback.
class AsyncRequest {
  public:
    virtual ~AsyncRequest() = default;

    [[nodiscard]] virtual Reply& reply() noexcept = 0;

    // Calls the application, once. With LAROD_ERROR_NONE the reply holds the result.
    virtual void finish(int code, std::string_view text) noexcept = 0;
};

}  // namespace larod::client
