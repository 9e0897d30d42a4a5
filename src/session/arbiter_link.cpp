// SPDX-License-Identifier: Apache-2.0
#include "session/arbiter_link.h"

#include "base/error.h"

namespace larod::session {
namespace {

[[noreturn]] void throwArbiterGone() {
    throw Error(LAROD_ERROR_CONNECTION, "the larod service is ending");
}

}  // namespace

void ArbiterLink::exchange(std::span<const std::byte> request, std::span<const int> sentFds,
                           wire::MessageType replyType) {
    if (channel_.send(request, sentFds, wire::Wait::Yes) != wire::Sent::Yes ||
        channel_.receive(datagram_, wire::Wait::Yes) != wire::Received::Message) {
        throwArbiterGone();
    }
    const auto header = wire::decodeHeader(datagram_.bytes());
    if (header && header->requestId == lastId_ && header->type == wire::Failure::kType) {
        wire::Failure failure;
        wire::decode(datagram_.bytes(), failure);
        throw Error(failure.code, std::move(failure.text));
    }
    if (!header || header->requestId != lastId_ || header->type != replyType) {
        throwArbiterGone();
    }
}

void ArbiterLink::sendNotice(std::span<const std::byte> notice) {
    if (channel_.send(notice, {}, wire::Wait::Yes) != wire::Sent::Yes) {
        throwArbiterGone();
    }
}

}  // namespace larod::session
