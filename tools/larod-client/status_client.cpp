// SPDX-License-Identifier: Apache-2.0
// Asks the service for its status.
#include "larod-client/status_client.h"

#include <array>
#include <iterator>

#include "client/handshake.h"
#include "client/poll.h"
#include "larod-client/tool_error.h"
#include "wire/channel.h"
#include "wire/codec.h"

namespace larod::tools {

namespace {

wire::Status askForPage(wire::Channel& channel, const wire::GetStatus& request, uint64_t requestId) {
    std::array<std::byte, 64> buffer;
    static_cast<void>(channel.send(wire::encode(request, requestId, buffer), {}, wire::Wait::Yes));
    pollfd readable = {channel.fd(), POLLIN, 0};
    wire::Datagram datagram;
    if (!client::pollUntil({&readable, 1}, client::Clock::now() + client::kHandshakeTimeout) ||
        channel.receive(datagram, wire::Wait::No) != wire::Received::Message) {
        throw Error(LAROD_ERROR_CONNECTION, "the service did not answer");
    }
    const auto header = wire::decodeHeader(datagram.bytes());
    if (header && header->type == wire::Failure::kType) {
        wire::Failure failure;
        wire::decode(datagram.bytes(), failure);
        throw Error(failure.code, std::move(failure.text));
    }
    if (!header || header->type != wire::Status::kType || header->requestId != requestId) {
        throw Error(LAROD_ERROR_CONNECTION, "the service answered something else");
    }
    wire::Status page;
    wire::decode(datagram.bytes(), page);
    return page;
}

template <typename T>
void append(std::vector<T>& all, std::vector<T>& more) {
    all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

wire::Status askForAll(wire::Channel& channel) {
    wire::Status all;
    wire::GetStatus request;
    bool more = true;
    for (uint64_t requestId = 1; more; ++requestId) {
        wire::Status page = askForPage(channel, request, requestId);
        more = page.more && !(page.sessions.empty() && page.models.empty());
        append(all.sessions, page.sessions);
        append(all.models, page.models);
        request.afterSession = all.sessions.empty() ? 0 : all.sessions.back().id;
        request.afterModel = all.models.empty() ? 0 : all.models.back().id;
        all.devices = std::move(page.devices);
        all.uptimeNs = page.uptimeNs;
    }
    return all;
}

}  // namespace

wire::Status readStatus() {
    try {
        wire::Channel channel(wire::connectSocket(wire::defaultSocketPath()));
        static_cast<void>(client::shakeHands(channel, client::kHandshakeTimeout));
        return askForAll(channel);
    } catch (const Error& error) {
        throw ToolError(error.code(), fmt::format("Could not read the status: {}", error.text()));
    }
}

}  // namespace larod::tools
