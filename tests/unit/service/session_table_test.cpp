// SPDX-License-Identifier: Apache-2.0
// Which sessions count, and when those end that outlive their clients.
#include "service/session_table.h"

#include <gtest/gtest.h>

#include "unit/service/fake_session.h"

namespace larod::service {
namespace {

class SessionTableTest : public ::testing::Test {
  protected:
    SessionRecord& add(SessionKey key) {
        fakes.push_back(std::make_unique<test::FakeSession>(key, 1000));
        test::FakeSession& fake = *fakes.back();
        return table.add(std::make_unique<SessionRecord>(fake.started(), std::move(fake.serviceEnd),
                                                         std::move(fake.arbiterEnd), fake.pageFd.get()));
    }

    std::vector<std::unique_ptr<test::FakeSession>> fakes;
    SessionTable table;
};

TEST_F(SessionTableTest, CountsSessionsFromHelloToGoodbye) {
    SessionRecord& session = add(1);
    add(2);
    fakes[0]->page->greeted = 0;
    EXPECT_EQ(table.countPresent(), 1U);
    fakes[0]->page->greeted = 1;
    EXPECT_EQ(table.countPresent(), 2U);
    session.left = true;
    EXPECT_EQ(table.countPresent(), 1U);
}

TEST_F(SessionTableTest, GivesEachSessionWhoseTimeHasComeOnce) {
    for (SessionKey key = 1; key <= 3; ++key) {
        add(key);
    }
    EXPECT_FALSE(table.nextDeadline());
    table.setDeadline(1, 300);
    table.setDeadline(2, 100);
    table.setDeadline(3, 200);
    EXPECT_EQ(table.nextDeadline(), 100U);
    EXPECT_EQ(table.takeDue(99), nullptr);
    EXPECT_EQ(table.takeDue(200)->key, 2U);
    EXPECT_EQ(table.takeDue(200)->key, 3U);
    EXPECT_EQ(table.takeDue(200), nullptr);
    EXPECT_EQ(table.nextDeadline(), 300U);
}

TEST_F(SessionTableTest, KeepsTheFirstDeadlineOfASession) {
    add(1);
    table.setDeadline(1, 100);
    table.setDeadline(1, 50);
    EXPECT_EQ(table.nextDeadline(), 100U);
}

TEST_F(SessionTableTest, ASessionThatIsKilledIsDueAgainWhereItDoesNotEnd) {
    SessionRecord& session = add(1);
    table.setDeadline(1, 100);
    table.kill(session, "a reason", 50);
    EXPECT_EQ(session.killReason(), "a reason");
    EXPECT_EQ(table.takeDue(50 + kKilledGraceNs - 1), nullptr);
    EXPECT_EQ(table.takeDue(50 + kKilledGraceNs), &session);
    EXPECT_FALSE(table.nextDeadline());
}

TEST_F(SessionTableTest, ForgetsTheDeadlineOfASessionThatIsGone) {
    add(1);
    table.setDeadline(1, 100);
    EXPECT_EQ(table.take(1)->key, 1U);
    EXPECT_FALSE(table.nextDeadline());
    EXPECT_EQ(table.takeDue(UINT64_MAX), nullptr);
    EXPECT_EQ(table.take(1), nullptr);
    table.setDeadline(1, 100);
    EXPECT_FALSE(table.nextDeadline());
}

TEST_F(SessionTableTest, GoesThroughSessionsInOrderAndStopsWhenTold) {
    for (const SessionKey key : {5U, 1U, 3U, 9U}) {
        add(key);
    }
    std::vector<SessionKey> seen;
    table.forEachAfter(1, [&seen](const SessionRecord& session) {
        seen.push_back(session.key);
        return session.key < 5;
    });
    EXPECT_EQ(seen, (std::vector<SessionKey>{3, 5}));
}

}  // namespace
}  // namespace larod::service
