// SPDX-License-Identifier: Apache-2.0
// Sessions as the arbiter sees them, without processes: their sockets and pages in the hands of a test.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>

#include <array>
#include <memory>
#include <string>
#include <utility>

#include "service/session_record.h"
#include "session/control_messages.h"
#include "session/status_page.h"
#include "wire/channel.h"
#include "wire/codec.h"

namespace larod::service::test {

// What a test waits for at most: a machine that is busy with much else.
inline constexpr int kPatienceMs = 30'000;

struct Answer {
    wire::Header header;
    std::unique_ptr<wire::Datagram> datagram;

    template <typename Message>
    Message as() const {
        EXPECT_EQ(header.type, Message::kType);
        Message message;
        wire::decode(datagram->bytes(), message);
        return message;
    }
    // The code of a Failure; LAROD_ERROR_NONE for another answer.
    [[nodiscard]] int failure() const {
        return header.type == wire::Failure::kType ? as<wire::Failure>().code : LAROD_ERROR_NONE;
    }
};

// The next message; a header of zeros where the peer is gone or says nothing.
inline Answer receiveFrom(wire::Channel& channel) {
    Answer answer{{}, std::make_unique<wire::Datagram>()};
    pollfd readable = {channel.fd(), POLLIN, 0};
    if (::poll(&readable, 1, kPatienceMs) == 1 &&
        channel.receive(*answer.datagram, wire::Wait::No) == wire::Received::Message) {
        answer.header = wire::decodeHeader(answer.datagram->bytes()).value_or(wire::Header{});
    }
    return answer;
}

class FakeSession {
  public:
    FakeSession(SessionKey itsKey, uint32_t itsUid)
        : FakeSession(itsKey, itsUid, wire::makeSocketPair(), wire::makeSocketPair(), session::makePage("test")) {}

    template <typename Message>
    wire::Sent send(const Message& message, uint64_t requestId = 0, std::span<const int> fds = {},
                    wire::Wait wait = wire::Wait::Yes) {
        std::array<std::byte, 64 * 1024> buffer;
        return control.send(wire::encode(message, requestId, buffer), fds, wait);
    }

    template <typename Message>
    Answer ask(const Message& message, std::span<const int> fds = {}) {
        send(message, ++lastId_, fds);
        Answer answer = receiveFrom(control);
        EXPECT_EQ(answer.header.requestId, lastId_);
        return answer;
    }

    // The text of the note that its client gets.
    std::string note() { return receiveFrom(client).as<wire::Failure>().text; }

    [[nodiscard]] session::control::SessionStarted started() const { return {key, uid, 4'194'305}; }  // no such process

    const SessionKey key;
    const uint32_t uid;
    wire::Channel client;   // the client's end
    wire::Channel control;  // the session's end
    UniqueFd serviceEnd;    // what the arbiter gets: of the client's socket,
    UniqueFd arbiterEnd;    // of the control socket,
    UniqueFd pageFd;        // and the page
    const session::PageMapping<session::StatusPage> page;

  private:
    using Pair = std::pair<UniqueFd, UniqueFd>;
    FakeSession(SessionKey itsKey, uint32_t itsUid, Pair clientPair, Pair controlPair, UniqueFd itsPage)
        : key(itsKey),
          uid(itsUid),
          client(std::move(clientPair.first)),
          control(std::move(controlPair.first)),
          serviceEnd(std::move(clientPair.second)),
          arbiterEnd(std::move(controlPair.second)),
          pageFd(std::move(itsPage)),
          page(pageFd.get()) {
        page->greeted = 1;
    }

    uint64_t lastId_ = 0;
};

}  // namespace larod::service::test
