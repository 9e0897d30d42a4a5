// SPDX-License-Identifier: Apache-2.0
// The arbiter with a power controller: sessions that say anything of turns and loads, and the watts of those that end.
#include <gtest/gtest.h>
#include <signal.h>

#include "unit/service/arbiter_fixture.h"

namespace larod::service {
namespace {

namespace control = session::control;
using test::Answer;
using test::FakeSession;
using test::kOther;
using test::kUser;

constexpr uint32_t kFirst = 0;   // 3 W
constexpr uint32_t kSecond = 1;  // 2 W
constexpr uint32_t kAlias = 2;   // a listed device; the two above are units, too

Options threeWatts() {
    Options options;
    options.power = PowerConfig{{{"first", 3000}, {"second", 2000}}, 3000};
    return options;
}

class ArbiterPower : public test::ArbiterFixture {
  protected:
    ArbiterPower() : ArbiterFixture(threeWatts()) {}

    // Whether the session gets power for a load.
    static bool wantLoad(FakeSession& session, uint32_t unit) {
        std::atomic<uint32_t>& word = session.page->loadPower;
        const uint32_t before = word;
        session.send(control::LoadWant{unit});
        EXPECT_TRUE(waitWhile(word, before));
        return (word & session::kLoadPhaseMask) == session::kLoadGranted;
    }

    // Why the arbiter ends the session.
    std::string reasonOfEnd(FakeSession& session, FakeSession& witness) {
        settle(witness);
        end(session, SIGKILL);
        return session.note();
    }
};

TEST_F(ArbiterPower, IsForOneLoadOfASessionAtATimeAndForUnitsThatExist) {
    const auto witness = start(kUser);
    for (const bool twice : {true, false}) {
        const auto liar = start(kUser);
        liar->send(control::LoadWant{twice ? kFirst : 2});
        liar->send(control::LoadWant{kFirst});
        const std::string note = reasonOfEnd(*liar, *witness);
        EXPECT_NE(note.find("power for a load was asked for twice, or for no unit"), std::string::npos) << note;
    }
    EXPECT_TRUE(wantLoad(*witness, kFirst)) << "the watts of the dead are back";
}

TEST_F(ArbiterPower, IsNotGivenBackBySessionsThatHaveNone) {
    const auto holder = start(kUser);
    const auto liar = start(kOther);
    ASSERT_TRUE(wantLoad(*holder, kFirst));
    for (int i = 0; i < 10; ++i) {
        liar->send(control::LoadEnd{});
        liar->send(control::TurnBack{kFirst, false});
    }
    EXPECT_FALSE(wantLoad(*liar, kSecond));
    const Answer refusal = liar->ask(control::GetRefusal{kSecond});
    EXPECT_EQ(refusal.failure(), LAROD_ERROR_POWER_NOT_AVAILABLE);
    EXPECT_EQ(refusal.as<wire::Failure>().text,
              "second gets no power now: it needs 2 W, and 3 W of 3 W are granted to first (3 W); try again later");
    EXPECT_EQ(liar->ask(control::GetRefusal{kAlias}).as<wire::Failure>().text,
              "alias: second gets no power now: it needs 2 W, and 3 W of 3 W are granted to first (3 W); try again "
              "later");
    holder->send(control::LoadEnd{});
    settle(*holder);
    EXPECT_TRUE(wantLoad(*liar, kSecond));
}

TEST_F(ArbiterPower, IsTakenFromASessionThatSaysForEverThatItHasJustRunAJob) {
    const auto liar = start(kUser);
    const auto other = start(kOther);
    liar->send(control::TurnWant{kFirst});
    ASSERT_TRUE(waitForTurn(*liar, kFirst));
    std::jthread lie([&liar](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            liar->page->turns[kFirst].lastEndNs = monotonicNs();
            std::this_thread::yield();
        }
    });
    // On a busy machine the first wish may have waited long enough before the liar was asked.
    EXPECT_TRUE(wantLoad(*other, kSecond) || wantLoad(*other, kSecond));
    EXPECT_EQ(session::turnPhase(liar->page->turns[kFirst].word), session::kTurnNone);
}

TEST_F(ArbiterPower, OfATurnComesBackWithItsSession) {
    const auto dying = start(kUser);
    const auto other = start(kOther);
    dying->send(control::TurnWant{kFirst});
    ASSERT_TRUE(waitForTurn(*dying, kFirst));
    setPhase(*dying, session::kTurnBusy);
    other->send(control::TurnWant{kSecond});
    ASSERT_TRUE(waitForTurn(*other, kSecond));
    EXPECT_EQ(session::turnPhase(other->page->turns[kSecond].word), session::kTurnRefused);
    end(*dying, SIGKILL);
    EXPECT_TRUE(wantLoad(*other, kSecond));
}

TEST_F(ArbiterPower, IsRefusedOnceToASessionThatAsksWithoutEnd) {
    const auto holder = start(kUser);
    const auto liar = start(kOther);
    ASSERT_TRUE(wantLoad(*holder, kFirst));
    for (int i = 0; i < 1000; ++i) {
        liar->send(control::TurnWant{kSecond});
    }
    ASSERT_TRUE(waitForTurn(*liar, kSecond));
    settle(*holder);
    EXPECT_EQ(session::turnPhase(liar->page->turns[kSecond].word), session::kTurnRefused);
    holder->send(control::LoadEnd{});
    settle(*holder);
    EXPECT_TRUE(wantLoad(*liar, kSecond));
}

class ArbiterWithoutPower : public test::ArbiterFixture {};

TEST_F(ArbiterWithoutPower, HasNobodyWhoAsksForIt) {
    const auto witness = start(kUser);
    const auto loads = start(kUser);
    loads->send(control::LoadWant{kFirst});
    const auto asks = start(kUser);
    asks->send(control::GetRefusal{kFirst}, 1);
    witness->send(control::LoadEnd{});
    settle(*witness);
    for (const auto& session : {loads.get(), asks.get()}) {
        end(*session, SIGKILL);
        const std::string note = session->note();
        EXPECT_NE(note.find("it broke the protocol"), std::string::npos) << note;
    }
    EXPECT_EQ(countSessions(*witness), 1U);
}

}  // namespace
}  // namespace larod::service
