// SPDX-License-Identifier: Apache-2.0
#include "client/handshake.h"

#include <array>
#include <cerrno>
#include <optional>

#include "base/error.h"
#include "client/failure_code.h"
#include "client/poll.h"
#include "wire/channel.h"
#include "wire/codec.h"

namespace larod::client {
namespace {

[[noreturn]] void throwRefused(const wire::Refusal& refusal) {
    if (refusal.code == LAROD_ERROR_VERSION_MISMATCH) {
        throw Error(LAROD_ERROR_VERSION_MISMATCH,
                    "this library speaks version {} of the larod protocol, the service version {}: install library and "
                    "service of the same release ({})",
                    wire::kProtocolVersion, refusal.version, refusal.text);
    }
    throw Error(isFailureCode(refusal.code) ? refusal.code : LAROD_ERROR_CREATE_SESSION,
                "the larod service refuses a session: {}", refusal.text);
}

[[noreturn]] void throwNotLarod() {
    throw Error(LAROD_ERROR_CONNECTION,
                "what answers at the socket does not speak the larod protocol; check LAROD_SOCKET");
}

}  // namespace

wire::Welcome shakeHands(wire::Channel& channel, std::chrono::milliseconds timeout) {
    const auto deadline = Clock::now() + timeout;
    std::array<std::byte, 64> buffer{};
    // A new connection has room for a Hello. A peer that is gone already may have left the reason for us to read.
    static_cast<void>(channel.send(wire::encodeHello(wire::Hello{}, buffer), {}, wire::Wait::No));

    wire::Datagram datagram;
    wire::Received received = wire::Received::WouldBlock;
    while (received == wire::Received::WouldBlock) {
        pollfd readable = {channel.fd(), POLLIN, 0};
        if (!pollUntil({&readable, 1}, deadline)) {
            throw Error(LAROD_ERROR_CONNECTION,
                        "what listens at the socket did not answer within {} ms; is it a larod service?",
                        timeout.count());
        }
        received = channel.receive(datagram, wire::Wait::No);
    }
    if (received == wire::Received::Closed) {
        throw Error(LAROD_ERROR_CONNECTION, "the service closed the connection before a session existed");
    }
    const auto header = wire::decodeHeader(datagram.bytes());
    if (received == wire::Received::Malformed || !header) {
        throwNotLarod();
    }
    switch (header->type) {
        case wire::MessageType::Refusal: {
            const auto refusal = wire::decodeRefusal(datagram.bytes());
            if (!refusal) {
                throwNotLarod();
            }
            throwRefused(*refusal);
        }
        case wire::MessageType::Failure: {  // the session ended while it was being made
            wire::Failure failure;
            wire::decode(datagram.bytes(), failure);
            throw Error(isFailureCode(failure.code) ? failure.code : LAROD_ERROR_CREATE_SESSION,
                        "the larod service could not create a session: {}", failure.text);
        }
        case wire::MessageType::Welcome: {
            wire::Welcome welcome;
            wire::decode(datagram.bytes(), welcome);
            return welcome;
        }
        default:
            throwNotLarod();
    }
}

}  // namespace larod::client
