// SPDX-License-Identifier: Apache-2.0
// Messages to bytes and back. Pure, and total: any bytes give a message or an Error, never a crash, an over-read or an
// allocation out of proportion to the bytes.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "base/error.h"
#include "wire/archive.h"
#include "wire/messages.h"

namespace larod::wire {

[[noreturn]] void throwTooLarge(MessageType type);
[[noreturn]] void throwMalformed(MessageType type);

// Writes header and message into `buffer` and returns the part that was used. Throws Error(EINVAL) where the message is
// over a limit or larger than the buffer.
template <class Message>
std::span<const std::byte> encode(const Message& message, uint64_t requestId, std::span<std::byte> buffer) {
    Writer writer(buffer);
    writer(Message::kType);
    writer(uint32_t{0});
    writer(requestId);
    const_cast<Message&>(message).fields(writer);  // one field list for both directions; writing changes nothing
    if (!writer.fits()) {
        throwTooLarge(Message::kType);
    }
    return buffer.first(writer.size());
}

// The header of a datagram, or nothing where it is shorter than one.
std::optional<Header> decodeHeader(std::span<const std::byte> datagram) noexcept;

// Reads a message whose header was looked at before. Keeps capacities of `message`. Throws
// Error(LAROD_ERROR_CONNECTION) for bytes that are no such message, bytes left over included.
template <class Message>
void decode(std::span<const std::byte> datagram, Message& message) {
    Reader reader(datagram.size() < kHeaderBytes ? std::span<const std::byte>() : datagram.subspan(kHeaderBytes));
    message.fields(reader);
    if (datagram.size() < kHeaderBytes || !reader.ok() || !reader.atEnd()) {
        throwMalformed(Message::kType);
    }
}

// The two frozen messages have their own layout (messages.h).
std::span<const std::byte> encodeHello(const Hello& hello, std::span<std::byte> buffer);
std::optional<Hello> decodeHello(std::span<const std::byte> datagram) noexcept;
std::span<const std::byte> encodeRefusal(const Refusal& refusal, std::span<std::byte> buffer);  // cuts the text to fit
std::optional<Refusal> decodeRefusal(std::span<const std::byte> datagram);

}  // namespace larod::wire
