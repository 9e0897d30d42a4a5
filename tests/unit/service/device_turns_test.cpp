// SPDX-License-Identifier: Apache-2.0
// The rules of device_turns.h, one by one.
#include "service/device_turns.h"

#include <gtest/gtest.h>

#include "unit/service/recording_port.h"

namespace larod::service {
namespace {

using Calls = std::vector<std::string>;
using Reclaim = TurnPort::Reclaim;
using test::kMs;

constexpr uint64_t kJobLimitNs = 5000 * kMs;
constexpr uint64_t kKillNs = kJobLimitNs + 1000 * kMs;
constexpr SessionKey kA = 1;
constexpr SessionKey kB = 2;
constexpr SessionKey kC = 3;

class DeviceTurnsTest : public ::testing::Test {
  protected:
    // `session` holds the turn and runs a job; nobody else ever wanted it.
    void holdBusy(SessionKey session, uint64_t nowNs) {
        turns.want(session, nowNs);
        port.words[session] = Reclaim::Busy;
        ASSERT_EQ(port.calls(), Calls{"grant " + std::to_string(session)});
    }

    test::RecordingPort port;
    DeviceTurns turns{port, kJobLimitNs};
};

TEST_F(DeviceTurnsTest, GrantsAFreeDeviceAtOnce) {
    EXPECT_EQ(turns.holder(), std::nullopt);
    turns.want(kA, 100);
    EXPECT_EQ(port.calls(), Calls{"grant 1"});
    EXPECT_EQ(port.sliceEnds.back(), 100 + kSliceNs);
    EXPECT_EQ(turns.holder(), kA);
    EXPECT_EQ(turns.waiting(), 0U);
    EXPECT_EQ(turns.nextDeadline(), std::nullopt) << "nobody waits, so nothing is due";
}

TEST_F(DeviceTurnsTest, IgnoresAWishOfTheHolder) {
    holdBusy(kA, 0);
    turns.want(kA, 1);
    EXPECT_EQ(port.calls(), Calls{});
    EXPECT_EQ(turns.waiting(), 0U);
}

TEST_F(DeviceTurnsTest, IgnoresASecondWishOfAWaiter) {
    holdBusy(kA, 0);
    turns.want(kB, 1);
    turns.want(kB, 2);
    EXPECT_EQ(turns.waiting(), 1U);
}

TEST_F(DeviceTurnsTest, IgnoresATurnBackFromAnybodyButTheHolder) {
    turns.back(kA, true, 0);
    EXPECT_EQ(turns.waiting(), 0U);
    holdBusy(kA, 1);
    turns.want(kB, 2);
    port.calls();
    turns.back(kB, true, 3);
    turns.back(kC, false, 3);
    EXPECT_EQ(port.calls(), Calls{});
    EXPECT_EQ(turns.holder(), kA);
    EXPECT_EQ(turns.waiting(), 1U);
}

TEST_F(DeviceTurnsTest, LeavesTheTurnWithAHolderThatNobodyWaitsFor) {
    holdBusy(kA, 0);
    turns.tick(10'000 * kMs);
    EXPECT_EQ(port.calls(), Calls{});
    EXPECT_EQ(turns.holder(), kA);
}

TEST_F(DeviceTurnsTest, TakesAnIdleTurnForAnother) {
    holdBusy(kA, 0);
    port.words[kA] = Reclaim::Taken;
    turns.want(kB, kMs);
    EXPECT_EQ(port.calls(), (Calls{"end slice 1", "reclaim 1", "grant 2"}));
    EXPECT_EQ(turns.holder(), kB);
}

TEST_F(DeviceTurnsTest, GivesAnIdleHolderTimeForItsNextJob) {
    holdBusy(kA, 0);
    port.words[kA] = Reclaim::Recent;
    turns.want(kB, kMs);
    EXPECT_EQ(turns.holder(), kA);
    EXPECT_EQ(turns.nextDeadline(), kMs + kIdleGraceNs);
    port.calls();
    port.words[kA] = Reclaim::Taken;
    turns.tick(kMs + kIdleGraceNs);
    EXPECT_EQ(port.calls(), (Calls{"reclaim 1", "grant 2"}));
}

TEST_F(DeviceTurnsTest, EndsTheSliceForASessionWithoutBacklogThatHadNoMoreTime) {
    holdBusy(kA, 0);
    turns.want(kB, kMs);
    EXPECT_EQ(port.calls(), (Calls{"end slice 1", "reclaim 1"}));
    turns.back(kA, true, 2 * kMs);
    EXPECT_EQ(port.calls(), (Calls{"grant 2", "reclaim 2"})) << "B keeps its slice: A has a backlog";
    EXPECT_EQ(turns.waiting(), 1U);
}

TEST_F(DeviceTurnsTest, EndsTheSliceOnce) {
    holdBusy(kA, 0);
    turns.want(kB, kMs);
    port.calls();
    turns.want(kC, 2 * kMs);
    EXPECT_EQ(port.calls(), Calls{"reclaim 1"});
}

TEST_F(DeviceTurnsTest, KeepsTheSliceWhereOnlyABacklogWaits) {
    holdBusy(kA, 0);
    turns.want(kB, kMs);
    turns.back(kA, true, 2 * kMs);
    port.calls();
    turns.tick(3 * kMs);
    EXPECT_EQ(port.calls(), Calls{"reclaim 2"});
    EXPECT_EQ(port.sliceEnds.back(), 2 * kMs + kSliceNs);
}

// B has had 10 ms while A waited; once A holds, B waits until A has had as much.
TEST_F(DeviceTurnsTest, EndsTheSliceWhenTheHolderHasHadAsMuchTimeAsTheWaiter) {
    holdBusy(kB, 0);
    turns.want(kA, 0);
    turns.back(kB, false, 10 * kMs);
    EXPECT_EQ(turns.holder(), kA);
    port.calls();

    turns.want(kB, 12 * kMs);
    EXPECT_EQ(port.calls(), Calls{"reclaim 1"}) << "A had nothing yet, B had 10 ms";
    EXPECT_EQ(turns.nextDeadline(), 22 * kMs);
    turns.tick(22 * kMs - 1);
    EXPECT_EQ(port.calls(), Calls{"reclaim 1"});
    EXPECT_EQ(turns.nextDeadline(), 22 * kMs);
    turns.tick(22 * kMs);
    EXPECT_EQ(port.calls(), (Calls{"end slice 1", "reclaim 1"}));
    EXPECT_EQ(turns.nextDeadline(), 12 * kMs + kSliceNs - 2 * kMs + kKillNs)
        << "counted from the end of A's slice, which is later than the moment when B began to wait";
}

TEST_F(DeviceTurnsTest, ServesTheSessionWithTheLeastTimeFirst) {
    holdBusy(kA, 0);
    turns.want(kB, 0);
    turns.want(kC, 0);
    turns.back(kA, true, 5 * kMs);  // A had 5 ms
    ASSERT_EQ(turns.holder(), kB);
    turns.back(kB, true, 6 * kMs);  // B had 1 ms
    ASSERT_EQ(turns.holder(), kC);
    turns.back(kC, true, 9 * kMs);  // C had 3 ms
    EXPECT_EQ(turns.holder(), kB);
    turns.back(kB, true, 12 * kMs);  // B has 4 ms
    EXPECT_EQ(turns.holder(), kC);
    turns.back(kC, true, 19 * kMs);  // C has 10 ms
    EXPECT_EQ(turns.holder(), kB);
    turns.back(kB, true, 23 * kMs);  // B has 8 ms
    EXPECT_EQ(turns.holder(), kA);
}

TEST_F(DeviceTurnsTest, ServesEqualsInTheOrderOfTheirArrival) {
    holdBusy(kA, 0);
    for (const SessionKey session : {9U, 7U, 8U}) {
        turns.want(session, kMs);
    }
    turns.back(kA, false, 2 * kMs);
    EXPECT_EQ(turns.holder(), 9U);
    turns.remove(9, 2 * kMs);
    EXPECT_EQ(turns.holder(), 7U);
    turns.remove(7, 2 * kMs);
    EXPECT_EQ(turns.holder(), 8U);
}

TEST_F(DeviceTurnsTest, DoesNotChargeTimeThatNobodyElseWanted) {
    holdBusy(kA, 0);
    turns.want(kB, 1000 * kMs);  // A alone for a second
    turns.back(kA, true, 1001 * kMs);
    ASSERT_EQ(turns.holder(), kB);
    turns.back(kB, true, 1003 * kMs);
    EXPECT_EQ(turns.holder(), kA) << "A had 1 ms, B 2 ms";
}

TEST_F(DeviceTurnsTest, GivesNoCreditForTimeInWhichASessionWantedNothing) {
    holdBusy(kA, 0);
    turns.want(kB, 0);
    turns.want(kC, 0);
    turns.back(kA, false, kMs);  // A had 1 ms and wants nothing now
    for (uint64_t now = 1; now < 1001; now += 100) {
        turns.back(*turns.holder(), true, (now + 100) * kMs);  // B and C take turns of 100 ms
    }
    ASSERT_EQ(turns.holder(), kB);  // they had 500 ms each
    turns.want(kA, 1001 * kMs);
    turns.back(kB, true, 1002 * kMs);
    ASSERT_EQ(turns.holder(), kC) << "equal, and it waits for longer";
    turns.back(kC, true, 1005 * kMs);
    ASSERT_EQ(turns.holder(), kA);
    turns.back(kA, true, 1007 * kMs);
    EXPECT_EQ(turns.holder(), kB) << "A is at 502 ms, B at 501 ms";
    turns.back(kB, true, 1010 * kMs);
    EXPECT_EQ(turns.holder(), kA);
}

TEST_F(DeviceTurnsTest, StartsANewcomerAtTheTimeOfTheOneServedLast) {
    holdBusy(kA, 0);
    turns.want(kB, 0);
    turns.back(kA, true, 100 * kMs);
    turns.back(kB, true, 200 * kMs);  // both had 100 ms; A is served
    ASSERT_EQ(turns.holder(), kA);
    turns.want(kC, 200 * kMs);
    turns.back(kA, true, 201 * kMs);
    ASSERT_EQ(turns.holder(), kB) << "equal, and B waits for longer";
    turns.back(kB, true, 202 * kMs);
    ASSERT_EQ(turns.holder(), kC);
    turns.back(kC, true, 204 * kMs);
    EXPECT_EQ(turns.holder(), kA) << "C is at 102 ms, not at 2 ms";
}

TEST_F(DeviceTurnsTest, ForgetsAWaiterThatIsGone) {
    holdBusy(kA, 0);
    turns.want(kB, 1);
    turns.remove(kB, 2);
    EXPECT_EQ(turns.waiting(), 0U);
    EXPECT_EQ(turns.nextDeadline(), std::nullopt);
    turns.back(kA, false, 3);
    EXPECT_EQ(turns.holder(), std::nullopt);
}

TEST_F(DeviceTurnsTest, PassesTheTurnOnWhenTheHolderIsGone) {
    holdBusy(kA, 0);
    turns.want(kB, 1);
    port.calls();
    turns.remove(kA, 2);
    EXPECT_EQ(port.calls(), Calls{"grant 2"});
    turns.remove(kB, 3);
    EXPECT_EQ(turns.holder(), std::nullopt);
}

TEST_F(DeviceTurnsTest, IgnoresTheEndOfASessionThatItDoesNotKnow) {
    holdBusy(kA, 0);
    turns.remove(kC, 1);
    EXPECT_EQ(turns.holder(), kA);
    EXPECT_EQ(port.calls(), Calls{});
}

TEST_F(DeviceTurnsTest, KillsAHolderThatIsLate) {
    holdBusy(kA, 0);
    const uint64_t wanted = 30 * kMs;  // after the end of the slice
    turns.want(kB, wanted);
    EXPECT_EQ(turns.nextDeadline(), wanted + kKillNs);
    port.calls();
    turns.tick(wanted + kKillNs - 1);
    EXPECT_EQ(port.calls(), Calls{"reclaim 1"});
    turns.tick(wanted + kKillNs);
    EXPECT_EQ(port.calls(), (Calls{"reclaim 1", "kill 1"}));
    EXPECT_EQ(turns.holder(), kA) << "until it is gone";
}

TEST_F(DeviceTurnsTest, KillsOnce) {
    holdBusy(kA, 0);
    turns.want(kB, 30 * kMs);
    turns.tick(30 * kMs + kKillNs);
    port.calls();
    turns.tick(31 * kMs + kKillNs);
    turns.want(kC, 32 * kMs + kKillNs);
    EXPECT_EQ(port.calls(), (Calls{"reclaim 1", "reclaim 1"}));
    turns.remove(kA, 33 * kMs + kKillNs);
    EXPECT_EQ(turns.holder(), kB);
}

TEST_F(DeviceTurnsTest, GivesTheWholeJobLimitAfterTheSlice) {
    holdBusy(kA, 0);
    turns.want(kB, kMs);
    EXPECT_EQ(turns.nextDeadline(), kSliceNs + kKillNs);
}

TEST_F(DeviceTurnsTest, DoesNotKillForTimeInWhichNobodyWaited) {
    holdBusy(kA, 0);
    turns.want(kB, 30 * kMs);
    turns.remove(kB, 31 * kMs);  // nobody waits any more
    const uint64_t later = 31 * kMs + 10 * kKillNs;
    port.calls();
    turns.want(kC, later);
    EXPECT_EQ(port.calls(), Calls{"reclaim 1"}) << "A's job is late for nobody";
    EXPECT_EQ(turns.nextDeadline(), later + kKillNs);
}

TEST_F(DeviceTurnsTest, DoesNotChargeTimeAfterTheLastWaiterWentAway) {
    holdBusy(kA, 0);
    turns.want(kB, 0);
    turns.remove(kB, kMs);  // A kept it from B for 1 ms
    turns.want(kC, 60'000 * kMs);
    turns.back(kA, false, 60'001 * kMs);  // and from C for another
    ASSERT_EQ(turns.holder(), kC);
    turns.want(kA, 60'001 * kMs);
    EXPECT_EQ(turns.nextDeadline(), 60'003 * kMs) << "C holds until it has had 2 ms";
}

}  // namespace
}  // namespace larod::service
