// SPDX-License-Identifier: Apache-2.0
#include "session/replies.h"

#include <array>

namespace larod::session {

void Replies::done(uint64_t requestId) {
    postDone(requestId, wire::Wait::Yes);
}

void Replies::failure(uint64_t requestId, const Error& error) {
    postFailure(requestId, error, wire::Wait::Yes);
}

void Replies::noMemory(uint64_t requestId) {
    failure(requestId, Error(ENOMEM, "the session has no memory left for this request"));
}

bool Replies::tryDone(uint64_t requestId) {
    return postDone(requestId, wire::Wait::No);
}

bool Replies::tryFailure(uint64_t requestId, const Error& error) {
    return postFailure(requestId, error, wire::Wait::No);
}

void Replies::note(uint64_t requestId, const std::string& text) {
    std::array<std::byte, wire::kHeaderBytes + sizeof(uint32_t) + wire::kMaxNoteLength> buffer;
    post(wire::encode(wire::Note{text.substr(0, wire::kMaxNoteLength)}, requestId, buffer), {}, wire::Wait::No);
}

bool Replies::postDone(uint64_t requestId, wire::Wait wait) {
    std::array<std::byte, wire::kHeaderBytes> buffer;
    return post(wire::encode(wire::Done{}, requestId, buffer), {}, wait);
}

bool Replies::postFailure(uint64_t requestId, const Error& error, wire::Wait wait) {
    std::array<std::byte,
               wire::kHeaderBytes + sizeof(wire::Failure::code) + sizeof(uint32_t) + wire::kMaxErrorTextLength>
        buffer;
    return post(
        wire::encode(wire::Failure{error.code(), error.text().substr(0, wire::kMaxErrorTextLength)}, requestId, buffer),
        {}, wait);
}

bool Replies::post(std::span<const std::byte> bytes, std::span<const int> fds, wire::Wait wait) {
    return channel_.send(bytes, fds, wait) != wire::Sent::WouldBlock;
}

}  // namespace larod::session
