// SPDX-License-Identifier: Apache-2.0
#include "wire/codec.h"

#include <algorithm>

namespace larod::wire {

void throwTooLarge(MessageType type) {
    throw Error(EINVAL, "the request (message type {}) is larger than the protocol allows ({} bytes in one datagram)",
                static_cast<uint32_t>(type), kMaxDatagramBytes);
}

void throwMalformed(MessageType type) {
    throw Error(LAROD_ERROR_CONNECTION, "malformed message of type {}", static_cast<uint32_t>(type));
}

std::optional<Header> decodeHeader(std::span<const std::byte> datagram) noexcept {
    Header header;
    Reader reader(datagram);
    reader(header.type);
    reader(header.reserved);
    reader(header.requestId);
    return reader.ok() ? std::optional(header) : std::nullopt;
}

std::span<const std::byte> encodeHello(const Hello& hello, std::span<std::byte> buffer) {
    Writer writer(buffer);
    writer(Hello::kType);
    writer(hello.version);
    writer(hello.magic);
    if (!writer.fits()) {
        throwTooLarge(Hello::kType);
    }
    return buffer.first(writer.size());
}

std::optional<Hello> decodeHello(std::span<const std::byte> datagram) noexcept {
    MessageType type{};
    Hello hello;
    Reader reader(datagram);
    reader(type);
    reader(hello.version);
    reader(hello.magic);
    const bool isHello = reader.ok() && type == Hello::kType && hello.magic == kMagic;
    return isHello ? std::optional(hello) : std::nullopt;
}

std::span<const std::byte> encodeRefusal(const Refusal& refusal, std::span<std::byte> buffer) {
    constexpr size_t kFixedBytes = 24;
    Writer writer(buffer);
    writer(Refusal::kType);
    writer(refusal.version);
    writer(refusal.magic);
    writer(refusal.code);
    const size_t room = buffer.size() < kFixedBytes ? 0 : buffer.size() - kFixedBytes;
    writer.text(refusal.text.substr(0, std::min(room, kMaxErrorTextLength)), kMaxErrorTextLength);
    if (!writer.fits()) {
        throwTooLarge(Refusal::kType);
    }
    return buffer.first(writer.size());
}

std::optional<Refusal> decodeRefusal(std::span<const std::byte> datagram) {
    MessageType type{};
    Refusal refusal;
    Reader reader(datagram);
    reader(type);
    reader(refusal.version);
    reader(refusal.magic);
    reader(refusal.code);
    reader.text(refusal.text, kMaxErrorTextLength);
    const bool isRefusal = reader.ok() && type == Refusal::kType && refusal.magic == kMagic;
    return isRefusal ? std::optional(std::move(refusal)) : std::nullopt;
}

}  // namespace larod::wire
