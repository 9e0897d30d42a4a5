// SPDX-License-Identifier: Apache-2.0
#include "session/replies.h"

#include <array>

namespace larod::session {

void Replies::done(uint64_t requestId) {
    std::array<std::byte, wire::kHeaderBytes> buffer;
    post(wire::encode(wire::Done{}, requestId, buffer), {});
}

void Replies::failure(uint64_t requestId, const Error& error) {
    std::array<std::byte,
               wire::kHeaderBytes + sizeof(wire::Failure::code) + sizeof(uint32_t) + wire::kMaxErrorTextLength>
        buffer;
    post(
        wire::encode(wire::Failure{error.code(), error.text().substr(0, wire::kMaxErrorTextLength)}, requestId, buffer),
        {});
}

void Replies::post(std::span<const std::byte> bytes, std::span<const int> fds) {
    [[maybe_unused]] const wire::Sent sent = channel_.send(bytes, fds, wire::Wait::Yes);
}

}  // namespace larod::session
