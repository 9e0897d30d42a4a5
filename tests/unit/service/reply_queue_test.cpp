// SPDX-License-Identifier: Apache-2.0
// Answers to a session that has no room for them.
#include "service/reply_queue.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>

#include "buffer/file_identity.h"
#include "buffer/memfd.h"
#include "unit/open_fds.h"

namespace larod::service {
namespace {

using Outcome = ReplyQueue::Outcome;

class ReplyQueueTest : public ::testing::Test {
  protected:
    ReplyQueueTest() : ReplyQueueTest(wire::makeSocketPair()) {}

    Outcome send(std::span<const int> fds = {}, uint64_t nowNs = 0) {
        const std::array<uint64_t, 64> message = {++lastNumber};
        return queue.send(std::as_bytes(std::span(message)), fds, nowNs);
    }

    void fill() {
        while (send() == Outcome::Sent) {
        }
    }

    // Reads what is there; each message must be the next one.
    void readAll() {
        while (peer.receive(datagram, wire::Wait::No) == wire::Received::Message) {
            uint64_t number = 0;
            std::memcpy(&number, datagram.bytes().data(), sizeof(number));
            ASSERT_EQ(number, ++lastRead);
            if (!datagram.fds.empty()) {
                received = std::move(datagram.fds.front());
            }
        }
    }

    wire::Channel channel;
    wire::Channel peer;
    ReplyQueue queue{channel};
    wire::Datagram datagram;
    UniqueFd received;
    uint64_t lastNumber = 0;
    uint64_t lastRead = 0;

  private:
    explicit ReplyQueueTest(std::pair<UniqueFd, UniqueFd> ends)
        : channel(std::move(ends.first)), peer(std::move(ends.second)) {}
};

TEST_F(ReplyQueueTest, SendsAtOnceWhereThereIsRoom) {
    EXPECT_EQ(send(), Outcome::Sent);
    EXPECT_EQ(queue.sendKept(0), Outcome::Sent);
    readAll();
    EXPECT_EQ(lastRead, 1U);
}

TEST_F(ReplyQueueTest, SendsWhatWasKeptInOrder) {
    fill();
    EXPECT_EQ(send(), Outcome::Kept);
    EXPECT_EQ(queue.sendKept(1), Outcome::Kept);
    readAll();
    EXPECT_EQ(send(), Outcome::Kept) << "not before those that wait";
    EXPECT_EQ(queue.sendKept(1), Outcome::Sent);
    EXPECT_EQ(send(), Outcome::Sent);
    readAll();
    EXPECT_EQ(lastRead, lastNumber);
}

TEST_F(ReplyQueueTest, KeepsDuplicatesOfTheFds) {
    fill();
    UniqueFd file = buffer::makeSealedMemfd("test", 123);
    const int fd = file.get();
    EXPECT_EQ(send({&fd, 1}), Outcome::Kept);
    file.reset();
    readAll();
    EXPECT_EQ(queue.sendKept(1), Outcome::Sent);
    readAll();
    ASSERT_TRUE(received);
    EXPECT_EQ(buffer::fileStatus(received.get()).length, 123U);
}

TEST_F(ReplyQueueTest, KeepsSoManyAndNotOneMore) {
    fill();  // one is kept
    for (size_t i = 1; i < kMaxKeptReplies; ++i) {
        EXPECT_EQ(send(), Outcome::Kept);
    }
    EXPECT_EQ(send(), Outcome::GivenUp);
}

TEST_F(ReplyQueueTest, KeepsNothingForEver) {
    fill();
    EXPECT_EQ(queue.sendKept(kReplyTimeoutNs - 1), Outcome::Kept);
    EXPECT_EQ(queue.sendKept(kReplyTimeoutNs), Outcome::GivenUp);
}

TEST_F(ReplyQueueTest, HasNothingToDoForASessionThatIsGone) {
    fill();
    peer = wire::Channel(UniqueFd());
    EXPECT_EQ(queue.sendKept(1), Outcome::Sent);
    EXPECT_EQ(send(), Outcome::Sent);
}

TEST_F(ReplyQueueTest, ClosesWhatItKept) {
    const size_t before = larod::test::countOpenFds();
    {
        ReplyQueue other(channel);
        fill();
        const UniqueFd file = buffer::makeSealedMemfd("test", 1);
        const int fd = file.get();
        const std::array<std::byte, 8> message{};
        EXPECT_EQ(other.send(message, {&fd, 1}, 0), Outcome::Kept);
    }
    EXPECT_EQ(larod::test::countOpenFds(), before);
}

}  // namespace
}  // namespace larod::service
