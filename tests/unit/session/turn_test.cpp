// SPDX-License-Identifier: Apache-2.0
// The session's side of a turn, against a test that plays the arbiter.
#include "session/turn.h"

#include <gtest/gtest.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <future>
#include <thread>

#include "base/monotonic_time.h"

namespace larod::session {
namespace {

constexpr uint32_t kUnit = 3;

// The arbiter's end: what was sent, and what the arbiter does to the word.
class TurnTest : public ::testing::Test {
  protected:
    explicit TurnTest(std::pair<UniqueFd, UniqueFd> sockets = wire::makeSocketPair())
        : arbiter(std::move(sockets.first)), link_(std::move(sockets.second)), turn(state, kUnit, link_) {}

    void grant() {
        state.word.store((state.word.load() & ~(kTurnGrantUnit - 1)) + kTurnGrantUnit + kTurnIdle);
        wake();
    }
    void refuse() {
        state.word.store((state.word.load() & ~(kTurnGrantUnit - 1)) + kTurnGrantUnit + kTurnRefused);
        wake();
    }
    void want() { state.word.fetch_or(kTurnWanted); }
    // Takes the turn back from a session that has no job.
    void takeBack() {
        state.word.store(withTurnPhase(state.word.load() & ~kTurnWanted, kTurnNone));
        wake();
    }

    // Waits for the next message. Fails where it is another one.
    void expectWant() {
        const wire::Header header = next(wire::Wait::Yes);
        ASSERT_EQ(header.type, control::TurnWant::kType);
        control::TurnWant message;
        wire::decode(datagram_.bytes(), message);
        EXPECT_EQ(message.unit, kUnit);
    }
    void expectBack(bool wantAgain) {
        const wire::Header header = next(wire::Wait::Yes);
        ASSERT_EQ(header.type, control::TurnBack::kType);
        control::TurnBack message;
        wire::decode(datagram_.bytes(), message);
        EXPECT_EQ(message.unit, kUnit);
        EXPECT_EQ(message.wantAgain, wantAgain);
    }
    bool nothingSent() { return arbiter.receive(datagram_, wire::Wait::No) == wire::Received::WouldBlock; }
    uint32_t phase() const { return turnPhase(state.word.load()); }

    // Another thread waits for the turn.
    std::future<bool> startElsewhere() {
        return std::async(std::launch::async, [this] { return turn.start() == Start::Started; });
    }

    TurnState state;
    wire::Channel arbiter;

  private:
    wire::Header next(wire::Wait wait) {
        if (arbiter.receive(datagram_, wait) != wire::Received::Message) {
            return {};
        }
        return wire::decodeHeader(datagram_.bytes()).value_or(wire::Header{});
    }
    void wake() { ::syscall(SYS_futex, &state.word, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0); }

    ArbiterLink link_;
    wire::Datagram datagram_;

  protected:
    Turn turn;
};

TEST_F(TurnTest, DoesNotStartWithoutATurn) {
    EXPECT_FALSE(turn.tryStart());
    EXPECT_TRUE(nothingSent()) << "tryStart never asks";
}

TEST_F(TurnTest, StartsAndEndsJobsWithoutAMessageWhileNobodyElseWantsTheDevice) {
    grant();
    for (int i = 0; i < 100; ++i) {
        ASSERT_TRUE(turn.tryStart());
        EXPECT_EQ(phase(), kTurnBusy);
        turn.finish(i % 2 == 0);
        EXPECT_EQ(phase(), kTurnIdle);
        ASSERT_EQ(turn.start(), Start::Started);
        turn.finish(false);
    }
    EXPECT_TRUE(nothingSent());
}

TEST_F(TurnTest, RunsOneJobAtATime) {
    grant();
    ASSERT_TRUE(turn.tryStart());
    EXPECT_FALSE(turn.tryStart());
    turn.finish(false);
    EXPECT_TRUE(turn.tryStart());
}

TEST_F(TurnTest, AsksOnceAndStartsWhenTheTurnIsGranted) {
    auto started = startElsewhere();
    expectWant();
    grant();
    EXPECT_TRUE(started.get());
    EXPECT_EQ(phase(), kTurnBusy);
    EXPECT_TRUE(nothingSent());
}

TEST_F(TurnTest, AsksOnceHoweverOftenItIsWoken) {
    auto started = startElsewhere();
    expectWant();
    for (int i = 0; i < 100; ++i) {
        ::syscall(SYS_futex, &state.word, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
        std::this_thread::yield();
    }
    grant();
    EXPECT_TRUE(started.get());
    EXPECT_TRUE(nothingSent());
}

TEST_F(TurnTest, AsksAgainWhenAGrantWasTakenBackUnused) {
    // The first want is answered by a grant that is taken back before the session looks: as if it were never there,
    // but for the count of grants.
    auto started = startElsewhere();
    expectWant();
    state.word.store((state.word.load() & ~(kTurnGrantUnit - 1)) + kTurnGrantUnit + kTurnNone);
    ::syscall(SYS_futex, &state.word, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
    expectWant();
    grant();
    EXPECT_TRUE(started.get());
}

TEST_F(TurnTest, AsksForEachWait) {
    for (int i = 0; i < 3; ++i) {
        auto started = startElsewhere();
        expectWant();
        grant();
        ASSERT_TRUE(started.get());
        turn.finish(false);
        takeBack();
        ASSERT_TRUE(nothingSent());
    }
}

TEST_F(TurnTest, GivesAWantedTurnBackWhenItHasNoMoreJobs) {
    grant();
    ASSERT_TRUE(turn.tryStart());
    want();
    turn.finish(false);
    EXPECT_EQ(phase(), kTurnNone);
    EXPECT_EQ(state.word.load() & kTurnWanted, 0U);
    expectBack(false);
}

TEST_F(TurnTest, GivesAWantedTurnBackAndWantsAgainWhenItHasMoreJobs) {
    grant();
    ASSERT_TRUE(turn.tryStart());
    want();
    turn.finish(true);
    expectBack(true);
    // That was the asking: the wait that follows sends nothing.
    auto started = startElsewhere();
    grant();
    EXPECT_TRUE(started.get());
    EXPECT_TRUE(nothingSent());
}

TEST_F(TurnTest, AsksAgainWhenItGaveBackWithoutMoreJobs) {
    grant();
    ASSERT_TRUE(turn.tryStart());
    want();
    turn.finish(false);
    expectBack(false);
    auto started = startElsewhere();
    expectWant();
    grant();
    EXPECT_TRUE(started.get());
}

TEST_F(TurnTest, KeepsAWantedTurnUntilItsSliceEndsWhileItHasMoreJobs) {
    grant();
    state.sliceEndNs.store(UINT64_MAX);
    ASSERT_TRUE(turn.tryStart());
    want();
    turn.finish(true);
    EXPECT_EQ(phase(), kTurnIdle);
    EXPECT_TRUE(nothingSent());
    ASSERT_TRUE(turn.tryStart());
    state.sliceEndNs.store(monotonicNs());
    turn.finish(true);
    EXPECT_EQ(phase(), kTurnNone);
    expectBack(true);
}

TEST_F(TurnTest, GivesBackWithinItsSliceWhenItHasNoMoreJobs) {
    grant();
    state.sliceEndNs.store(UINT64_MAX);
    ASSERT_TRUE(turn.tryStart());
    want();
    turn.finish(false);
    expectBack(false);
}

TEST_F(TurnTest, SaysWhenItsLastJobEnded) {
    grant();
    ASSERT_TRUE(turn.tryStart());
    const uint64_t before = monotonicNs();
    turn.finish(false);
    EXPECT_GE(state.lastEndNs.load(), before);
    EXPECT_LE(state.lastEndNs.load(), monotonicNs());
}

TEST_F(TurnTest, BelievesNoAbsurdNumberOfThreads) {
    for (const auto& [given, used] : {std::pair(0U, 1U), std::pair(1U, 1U), std::pair(4U, 4U), std::pair(1024U, 1024U),
                                      std::pair(1025U, 1024U), std::pair(UINT_MAX, 1024U)}) {
        state.threads.store(given);
        EXPECT_EQ(turn.threads(), used);
    }
}

TEST_F(TurnTest, ARefusalOfPowerEndsTheWait) {
    auto started = std::async(std::launch::async, [this] { return turn.start(); });
    expectWant();
    refuse();
    EXPECT_EQ(started.get(), Start::Refused);
    EXPECT_EQ(phase(), kTurnNone);
    EXPECT_FALSE(turn.tryStart());
    EXPECT_TRUE(nothingSent());
}

TEST_F(TurnTest, AsksAgainAfterARefusal) {
    for (int i = 0; i < 3; ++i) {
        auto started = std::async(std::launch::async, [this] { return turn.start(); });
        expectWant();
        refuse();
        ASSERT_EQ(started.get(), Start::Refused);
    }
    auto started = startElsewhere();
    expectWant();
    grant();
    EXPECT_TRUE(started.get());
}

TEST_F(TurnTest, AsksAgainAfterARefusalOfWhatItAskedForWithItsLastTurn) {
    grant();
    ASSERT_TRUE(turn.tryStart());
    want();
    turn.finish(true);
    expectBack(true);
    refuse();
    EXPECT_EQ(turn.start(), Start::Refused);
    auto started = startElsewhere();
    expectWant();
    grant();
    EXPECT_TRUE(started.get());
}

TEST_F(TurnTest, ARefusalThatAnswersNoWaitIsNotOneOfTheNextJob) {
    grant();
    ASSERT_TRUE(turn.tryStart());
    turn.finish(false);
    takeBack();
    refuse();
    auto started = startElsewhere();
    expectWant();
    grant();
    EXPECT_TRUE(started.get());
}

TEST_F(TurnTest, StopWakesAThreadThatWaits) {
    auto started = startElsewhere();
    expectWant();
    turn.stop();
    EXPECT_FALSE(started.get());
}

TEST_F(TurnTest, NobodyWaitsAfterStop) {
    turn.stop();
    EXPECT_EQ(turn.start(), Start::Stopped);
    EXPECT_TRUE(nothingSent());
}

TEST_F(TurnTest, StopIsNotMissedByAThreadThatIsAboutToWait) {
    for (int i = 0; i < 500; ++i) {
        TurnState ownState;
        auto [ownArbiter, session] = wire::makeSocketPair();
        ArbiterLink link(std::move(session));
        Turn own(ownState, kUnit, link);
        auto started = std::async(std::launch::async, [&own] { return own.start() == Start::Started; });
        own.stop();
        ASSERT_FALSE(started.get());
    }
}

// The word is shared by two that don't wait for each other: no turn may be lost, none held twice.
TEST_F(TurnTest, LosesNoTurnBetweenASessionAndAnArbiterThatTakesItBackAtAnyTime) {
    constexpr int kJobs = 2000;
    std::thread session([this] {
        for (int i = 0; i < kJobs; ++i) {
            ASSERT_EQ(turn.start(), Start::Started);
            turn.finish(i % 3 == 0);
        }
        turn.stop();
        arbiter.shutdown();
    });
    wire::Datagram datagram;
    size_t grants = 0;
    while (arbiter.receive(datagram, wire::Wait::Yes) == wire::Received::Message) {
        const auto header = wire::decodeHeader(datagram.bytes());
        ASSERT_TRUE(header);
        bool wanted = header->type == control::TurnWant::kType;
        if (header->type == control::TurnBack::kType) {
            control::TurnBack back;
            wire::decode(datagram.bytes(), back);
            wanted = back.wantAgain;
        }
        if (!wanted || turnPhase(state.word.load()) != kTurnNone) {
            continue;
        }
        ++grants;
        grant();
        // Wanted by somebody else at once: taken back where no job runs, else at the job's end.
        uint32_t word = state.word.fetch_or(kTurnWanted) | kTurnWanted;
        while (turnPhase(word) == kTurnIdle && grants % 2 == 0) {
            if (state.word.compare_exchange_weak(word, withTurnPhase(word & ~kTurnWanted, kTurnNone))) {
                ::syscall(SYS_futex, &state.word, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
                break;
            }
        }
    }
    session.join();
    EXPECT_GT(grants, 0U);
}

TEST_F(TurnTest, AnArbiterThatIsGoneEndsTheWait) {
    arbiter.shutdown();
    EXPECT_THROW(static_cast<void>(turn.start()), Error);
}

}  // namespace
}  // namespace larod::session
