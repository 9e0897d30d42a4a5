// SPDX-License-Identifier: Apache-2.0
// What decisions about a device do to the sessions' turn words, honest or not.
#include "service/turn_effects.h"

#include <gtest/gtest.h>

#include "base/monotonic_time.h"
#include "unit/service/fake_session.h"

namespace larod::service {
namespace {

constexpr SessionKey kSession = 7;
using Reclaim = TurnPort::Reclaim;

class TurnEffectsTest : public ::testing::Test {
  protected:
    TurnEffectsTest() {
        sessions.add(std::make_unique<SessionRecord>(fake.started(), std::move(fake.serviceEnd),
                                                     std::move(fake.arbiterEnd), fake.pageFd.get()));
    }

    [[nodiscard]] session::TurnState& turn() const { return fake.page->turns[0]; }
    [[nodiscard]] uint32_t phase() const { return session::turnPhase(turn().word); }

    test::FakeSession fake{kSession, 1000};
    SessionTable sessions;
    Options options;
    TurnEffects effects{sessions, 0, "device", options, nullptr};
};

TEST_F(TurnEffectsTest, GrantsATurn) {
    options.threads = 3;
    effects.grant(kSession, 12345);
    EXPECT_EQ(phase(), session::kTurnIdle);
    EXPECT_EQ(turn().threads, 3U);
    EXPECT_EQ(turn().sliceEndNs, 12345U);
    EXPECT_EQ(turn().word / session::kTurnGrantUnit, 1U);
}

TEST_F(TurnEffectsTest, TakesATurnThatIsIdleForLongEnough) {
    effects.grant(kSession, 0);
    turn().lastEndNs = 1'000'000;
    EXPECT_EQ(effects.reclaim(kSession, 1'000'000 + kIdleGraceNs - 1), Reclaim::Recent);
    EXPECT_EQ(phase(), session::kTurnIdle);
    EXPECT_EQ(effects.reclaim(kSession, 1'000'000 + kIdleGraceNs), Reclaim::Taken);
    EXPECT_EQ(phase(), session::kTurnNone);
}

TEST_F(TurnEffectsTest, LeavesAGrantedTurnToASessionThatIsAboutToStart) {
    const uint64_t decided = monotonicNs();
    effects.grant(kSession, 0);
    EXPECT_EQ(effects.reclaim(kSession, decided), Reclaim::Recent) << "others wait, and were looked at after the grant";
    EXPECT_EQ(phase(), session::kTurnIdle);
    EXPECT_EQ(effects.reclaim(kSession, monotonicNs() + kSliceNs), Reclaim::Taken) << "it never starts";
}

TEST_F(TurnEffectsTest, AsksForATurnThatIsBusy) {
    effects.grant(kSession, 0);
    turn().word = session::withTurnPhase(turn().word, session::kTurnBusy);
    EXPECT_EQ(effects.reclaim(kSession, UINT64_MAX), Reclaim::Busy);
    EXPECT_NE(turn().word & session::kTurnWanted, 0U);
}

TEST_F(TurnEffectsTest, BelievesASessionThatHasAlwaysJustRunAJobNoLongerThanTwoSlices) {
    effects.grant(kSession, 0);
    const uint64_t begin = monotonicNs();
    uint64_t now = begin;
    size_t polls = 0;
    for (;; now += kIdleGraceNs, ++polls) {
        turn().lastEndNs = now;
        if (effects.reclaim(kSession, now) != Reclaim::Recent) {
            break;
        }
    }
    EXPECT_EQ(phase(), session::kTurnNone);
    EXPECT_GT(now - begin, kSliceNs) << "an honest one may work on its backlog";
    EXPECT_LE(now - begin, 4 * kSliceNs);
    EXPECT_LE(polls, 4 * kSliceNs / kIdleGraceNs);
}

TEST_F(TurnEffectsTest, BelievesItAgainAfterTheNextGrant) {
    effects.grant(kSession, 0);
    turn().lastEndNs = 1;
    EXPECT_EQ(effects.reclaim(kSession, 1), Reclaim::Recent);
    turn().lastEndNs = 10 * kSliceNs;
    EXPECT_EQ(effects.reclaim(kSession, 10 * kSliceNs), Reclaim::Taken);
    effects.grant(kSession, 0);
    turn().lastEndNs = 10 * kSliceNs;
    EXPECT_EQ(effects.reclaim(kSession, 10 * kSliceNs), Reclaim::Recent);
}

TEST_F(TurnEffectsTest, BelievesNoJobThatEndsInTheFarFuture) {
    effects.grant(kSession, 0);
    turn().lastEndNs = UINT64_MAX;
    EXPECT_EQ(effects.reclaim(kSession, 1'000'000), Reclaim::Taken);
}

TEST_F(TurnEffectsTest, TakesTheTurnOfASessionThatIsGone) {
    effects.grant(99, 0);
    effects.endSlice(99);
    effects.kill(99);
    EXPECT_EQ(effects.reclaim(99, 0), Reclaim::Taken);
}

TEST_F(TurnEffectsTest, NamesDeviceAndLimitWhenItKills) {
    options.jobLimitMs = 1234;
    effects.kill(kSession);
    const std::string& reason = sessions.find(kSession)->killReason();
    EXPECT_NE(reason.find("kept device for more than 1234 ms"), std::string::npos) << reason;
}

}  // namespace
}  // namespace larod::service
