// SPDX-License-Identifier: Apache-2.0
// A session's requests to the arbiter, and what it makes of the answers.
#include "session/arbiter_link.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <functional>
#include <thread>

#include "buffer/memfd.h"
#include "unit/session/fake_device.h"
#include "unit/wire/allocation_count.h"

namespace larod::session {
namespace {

using test::errorOf;

class ArbiterLinkTest : public ::testing::Test {
  protected:
    explicit ArbiterLinkTest(std::pair<UniqueFd, UniqueFd> sockets = wire::makeSocketPair())
        : arbiter(std::move(sockets.first)), link(std::move(sockets.second)) {}
    ~ArbiterLinkTest() override {
        if (thread_.joinable()) {
            thread_.join();
        }
    }

    // Answers one request in a thread of its own.
    void answer(std::function<void(const wire::Header&)> answer) {
        thread_ = std::thread([this, answer = std::move(answer)] {
            if (arbiter.receive(datagram, wire::Wait::Yes) == wire::Received::Message) {
                answer(wire::decodeHeader(datagram.bytes()).value_or(wire::Header{}));
            }
        });
    }
    template <typename Message>
    void send(const Message& message, uint64_t requestId, std::span<const int> fds = {}) {
        std::array<std::byte, 1024> buffer;
        EXPECT_EQ(arbiter.send(wire::encode(message, requestId, buffer), fds, wire::Wait::Yes), wire::Sent::Yes);
    }
    std::string numSessionsError() {
        return errorOf([this] { static_cast<void>(link.call<wire::NumSessions>(wire::GetNumSessions{})); });
    }

    wire::Channel arbiter;
    ArbiterLink link;
    wire::Datagram datagram;

  private:
    std::thread thread_;
};

const std::string kConnection = std::to_string(LAROD_ERROR_CONNECTION) + ": ";

TEST_F(ArbiterLinkTest, GivesTheReply) {
    answer([this](const wire::Header& header) { send(wire::NumSessions{5}, header.requestId); });
    EXPECT_EQ(link.call<wire::NumSessions>(wire::GetNumSessions{}).count, 5U);
}

TEST_F(ArbiterLinkTest, HandsOverTheFdsOfTheReply) {
    answer([this](const wire::Header& header) {
        const UniqueFd memory = buffer::makeSealedMemfd("test", 100);
        const int fd = memory.get();
        send(control::MemoryAllocated{{1}}, header.requestId, {&fd, 1});
    });
    std::vector<UniqueFd> fds;
    EXPECT_EQ(link.call<control::MemoryAllocated>(control::AllocMemory{{100}}, {}, &fds).ids.size(), 1U);
    ASSERT_EQ(fds.size(), 1U);
    EXPECT_EQ(::lseek(fds[0].get(), 0, SEEK_END), 100);
}

TEST_F(ArbiterLinkTest, ThrowsTheErrorThatTheArbiterSends) {
    answer([this](const wire::Header& header) {
        send(wire::Failure{LAROD_ERROR_PERMISSION, "model 3 is private"}, header.requestId);
    });
    EXPECT_EQ(numSessionsError(), std::to_string(LAROD_ERROR_PERMISSION) + ": model 3 is private");
}

TEST_F(ArbiterLinkTest, TakesNoOtherAnswerForTheReply) {
    answer([this](const wire::Header& header) { send(wire::Done{}, header.requestId); });
    EXPECT_EQ(numSessionsError().rfind(kConnection, 0), 0U);
}

TEST_F(ArbiterLinkTest, TakesNoAnswerToAnotherRequest) {
    answer([this](const wire::Header& header) { send(wire::NumSessions{5}, header.requestId + 1); });
    EXPECT_EQ(numSessionsError().rfind(kConnection, 0), 0U);
}

TEST_F(ArbiterLinkTest, FailsWhenTheArbiterIsGoneBeforeOrAfterTheRequest) {
    answer([this](const wire::Header&) { arbiter.shutdown(); });
    EXPECT_EQ(numSessionsError().rfind(kConnection, 0), 0U);
    EXPECT_EQ(numSessionsError().rfind(kConnection, 0), 0U);
    EXPECT_EQ(errorOf([this] { link.notify(control::TurnWant{0}); }).rfind(kConnection, 0), 0U);
    EXPECT_EQ(errorOf([this] { link.notifyLarge(control::ReleaseMemory{{1}}); }).rfind(kConnection, 0), 0U);
}

TEST_F(ArbiterLinkTest, SendsNoticesWithoutAnIdAndWithoutAllocating) {
    EXPECT_EQ(wire::test::allocatedBy([this] { link.notify(control::TurnBack{2, true}); }), 0U);
    ASSERT_EQ(arbiter.receive(datagram, wire::Wait::No), wire::Received::Message);
    const auto header = wire::decodeHeader(datagram.bytes());
    ASSERT_TRUE(header);
    EXPECT_EQ(header->requestId, 0U);
    control::TurnBack back;
    wire::decode(datagram.bytes(), back);
    EXPECT_EQ(back.unit, 2U);
    EXPECT_TRUE(back.wantAgain);
}

TEST_F(ArbiterLinkTest, SendsLargeNotices) {
    link.notifyLarge(control::ReleaseMemory{std::vector<uint64_t>(4096, 9)});
    ASSERT_EQ(arbiter.receive(datagram, wire::Wait::No), wire::Received::Message);
    control::ReleaseMemory release;
    wire::decode(datagram.bytes(), release);
    EXPECT_EQ(release.ids.size(), 4096U);
}

TEST_F(ArbiterLinkTest, AnswersEachOfSeveralThreads) {
    constexpr uint64_t kThreads = 4;
    constexpr uint64_t kCalls = 200;
    std::thread peer([this] {
        while (arbiter.receive(datagram, wire::Wait::Yes) == wire::Received::Message) {
            const auto header = wire::decodeHeader(datagram.bytes());
            if (header->type == wire::GetModel::kType) {
                wire::GetModel request;
                wire::decode(datagram.bytes(), request);
                send(control::ModelRegistered{request.modelId}, header->requestId);
            }
        }
    });
    std::vector<std::thread> threads;
    for (uint64_t i = 0; i < kThreads; ++i) {
        threads.emplace_back([this, i] {
            for (uint64_t n = 0; n < kCalls; ++n) {
                const uint64_t id = i * kCalls + n;
                EXPECT_EQ(link.call<control::ModelRegistered>(wire::GetModel{id}).modelId, id);
                link.notify(control::TurnWant{0});
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    arbiter.shutdown();
    peer.join();
}

}  // namespace
}  // namespace larod::session
