// SPDX-License-Identifier: Apache-2.0
// What a session sends to its client.
#include "session/replies.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "unit/wire/allocation_count.h"

namespace larod::session {
namespace {

class RepliesTest : public ::testing::Test {
  protected:
    explicit RepliesTest(std::pair<UniqueFd, UniqueFd> sockets = wire::makeSocketPair())
        : client(std::move(sockets.first)), channel(std::move(sockets.second)), replies(channel) {}

    template <typename Message>
    Message expect(uint64_t requestId) {
        Message message;
        EXPECT_EQ(client.receive(datagram, wire::Wait::No), wire::Received::Message);
        const auto header = wire::decodeHeader(datagram.bytes());
        EXPECT_TRUE(header && header->type == Message::kType && header->requestId == requestId);
        wire::decode(datagram.bytes(), message);
        return message;
    }

    wire::Channel client;
    wire::Channel channel;
    Replies replies;
    wire::Datagram datagram;
};

TEST_F(RepliesTest, SayThatAJobIsDoneWithoutAllocating) {
    EXPECT_EQ(wire::test::allocatedBy([&] { replies.done(7); }), 0U);
    expect<wire::Done>(7);
}

TEST_F(RepliesTest, CarryCodeAndTextOfAnError) {
    replies.failure(8, Error(LAROD_ERROR_JOB, "no luck"));
    const auto failure = expect<wire::Failure>(8);
    EXPECT_EQ(failure.code, LAROD_ERROR_JOB);
    EXPECT_EQ(failure.text, "no luck");
}

TEST_F(RepliesTest, CutATextThatIsTooLong) {
    replies.failure(9, Error(EINVAL, std::string(wire::kMaxErrorTextLength, 'a')));
    EXPECT_EQ(expect<wire::Failure>(9).text.size(), wire::kMaxErrorTextLength);
    replies.failure(10, Error(EINVAL, std::string(wire::kMaxErrorTextLength + 1, 'a')));
    EXPECT_EQ(expect<wire::Failure>(10).text.size(), wire::kMaxErrorTextLength);
}

TEST_F(RepliesTest, BringDuplicatesOfFds) {
    const UniqueFd fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    const int sent = fd.get();
    replies.send(wire::TensorsAllocated{{{1, 2, 3}}}, 11, {&sent, 1});
    EXPECT_EQ(expect<wire::TensorsAllocated>(11).tensors.size(), 1U);
    EXPECT_EQ(datagram.fds.size(), 1U);
    EXPECT_GE(::fcntl(fd.get(), F_GETFD), 0) << "its own stays open";
}

TEST_F(RepliesTest, RefuseAMessageThatIsOverALimit) {
    wire::TensorsAllocated message;
    message.tensors.resize(wire::kMaxTensors + 1);
    EXPECT_THROW(replies.send(message, 12), Error);
    EXPECT_EQ(client.receive(datagram, wire::Wait::No), wire::Received::WouldBlock) << "nothing half is sent";
}

TEST_F(RepliesTest, DontMindAClientThatIsGone) {
    client.shutdown();
    replies.done(1);
    replies.failure(2, Error(EINVAL, "text"));
    replies.send(wire::NumSessions{3}, 3);
}

}  // namespace
}  // namespace larod::session
