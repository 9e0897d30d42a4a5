// SPDX-License-Identifier: Apache-2.0
// Who gets power, and when: single rules, then many sessions on real DeviceTurns in simulated time.
#include "service/power_control.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <set>

#include "unit/service/recording_port.h"

namespace larod::service {
namespace {

using Calls = std::vector<std::string>;
using Reclaim = TurnPort::Reclaim;
using test::kMs;

constexpr uint32_t kThreeWatts = 0;
constexpr uint32_t kTwoWatts = 1;
constexpr uint32_t kOneWatt = 2;
constexpr uint32_t kFree = 3;
constexpr SessionKey kOne = 1;
constexpr SessionKey kTwo = 2;
constexpr SessionKey kThree = 3;

PowerConfig wattsWithin(Milliwatts budget) {
    return {{{"a", 3000}, {"b", 2000}, {"c", 1000}}, budget};
}

// Turns that are given to nobody in particular, and words that a test sets.
class FakeTurns final : public PowerPort {
  public:
    void grantTurn(uint32_t device, uint64_t nowNs) override {
        EXPECT_TRUE(control->takeForTurn(device, nowNs));
        wanted.erase(device);
        calls_.push_back(fmt::format("turn {}", device));
    }
    void refuseTurn(uint32_t device) override {
        wanted.erase(device);
        calls_.push_back(fmt::format("no turn {}", device));
    }
    [[nodiscard]] bool isTurnWanted(uint32_t device) override { return wanted.contains(device); }
    [[nodiscard]] Reclaim reclaimTurn(uint32_t device, uint64_t /*nowNs*/) override {
        calls_.push_back(fmt::format("reclaim {}", device));
        if (words[device] == Reclaim::Taken) {
            control->turnEnded(device);
        }
        return words[device];
    }
    void grantLoad(SessionKey session) override { calls_.push_back(fmt::format("load {}", session)); }
    void refuseLoad(SessionKey session) override { calls_.push_back(fmt::format("no load {}", session)); }

    // What happened since the last call.
    Calls calls() { return std::exchange(calls_, {}); }

    PowerControl* control = nullptr;
    std::set<uint32_t> wanted;
    std::array<Reclaim, 4> words = {Reclaim::Busy, Reclaim::Busy, Reclaim::Busy, Reclaim::Busy};

  private:
    Calls calls_;
};

class PowerControlTest : public ::testing::Test {
  protected:
    PowerControlTest() { port.control = &control; }

    // As DeviceTurns asks.
    bool wantTurn(uint32_t device, uint64_t nowNs) {
        const bool taken = control.takeForTurn(device, nowNs);
        if (!taken) {
            port.wanted.insert(device);
        }
        return taken;
    }

    FakeTurns port;
    PowerControl control{port, wattsWithin(4000), {"a", "b", "c", "free"}};
};

TEST_F(PowerControlTest, GrantsATurnAtOnceWhereThereIsPower) {
    EXPECT_TRUE(wantTurn(kThreeWatts, 0));
    EXPECT_TRUE(wantTurn(kOneWatt, 0));
    EXPECT_EQ(control.budget().drawn(), 4000U);
    control.settle(0);
    EXPECT_EQ(port.calls(), Calls{});
    EXPECT_EQ(control.nextDeadline(), std::nullopt);
}

TEST_F(PowerControlTest, GrantsALoadWithTheNextSettle) {
    EXPECT_TRUE(control.wantLoad(kOne, kThreeWatts, 0));
    control.settle(0);
    EXPECT_EQ(port.calls(), Calls{"load 1"});
    EXPECT_EQ(control.budget().drawn(), 3000U);
    control.loadEnded(kOne);
    EXPECT_EQ(control.budget().drawn(), 0U);
}

TEST_F(PowerControlTest, LetsASessionLoadOneModelAtATime) {
    EXPECT_TRUE(control.wantLoad(kOne, kThreeWatts, 0));
    EXPECT_FALSE(control.wantLoad(kOne, kTwoWatts, 0)) << "it waits";
    control.settle(0);
    EXPECT_FALSE(control.wantLoad(kOne, kTwoWatts, 0)) << "it loads";
    control.loadEnded(kOne);
    EXPECT_TRUE(control.wantLoad(kOne, kTwoWatts, 0));
}

TEST_F(PowerControlTest, TakesAnIdleTurnOfAnotherDevice) {
    ASSERT_TRUE(wantTurn(kThreeWatts, 0));
    port.words[kThreeWatts] = Reclaim::Taken;
    EXPECT_FALSE(wantTurn(kTwoWatts, kMs));
    control.settle(kMs);
    EXPECT_EQ(port.calls(), (Calls{"reclaim 0", "turn 1"}));
    EXPECT_EQ(control.budget().drawn(), 2000U);
}

TEST_F(PowerControlTest, TakesNoMoreTurnsThanItNeeds) {
    ASSERT_TRUE(wantTurn(kTwoWatts, 0));
    ASSERT_TRUE(wantTurn(kOneWatt, 0));
    ASSERT_TRUE(wantTurn(kFree, 0));
    port.words = {Reclaim::Taken, Reclaim::Taken, Reclaim::Taken, Reclaim::Taken};
    EXPECT_FALSE(wantTurn(kThreeWatts, kMs));
    control.settle(kMs);
    EXPECT_EQ(port.calls(), (Calls{"reclaim 1", "turn 0"}));
    EXPECT_EQ(control.budget().drawn(kOneWatt), 1000U);
}

TEST_F(PowerControlTest, AsksAgainForATurnThatWasUsedJustNow) {
    ASSERT_TRUE(wantTurn(kThreeWatts, 0));
    port.words[kThreeWatts] = Reclaim::Recent;
    EXPECT_FALSE(wantTurn(kTwoWatts, kMs));
    control.settle(kMs);
    EXPECT_EQ(port.calls(), Calls{"reclaim 0"});
    EXPECT_EQ(control.nextDeadline(), kMs + kIdleGraceNs);
    port.words[kThreeWatts] = Reclaim::Taken;
    control.settle(kMs + kIdleGraceNs);
    EXPECT_EQ(port.calls(), (Calls{"reclaim 0", "turn 1"}));
}

TEST_F(PowerControlTest, WaitsForTheEndOfAJob) {
    ASSERT_TRUE(wantTurn(kThreeWatts, 0));
    EXPECT_FALSE(wantTurn(kTwoWatts, kMs));
    control.settle(kMs);
    EXPECT_EQ(control.nextDeadline(), kMs + kPowerPatienceNs);
    control.turnEnded(kThreeWatts);
    control.settle(2 * kMs);
    EXPECT_EQ(port.calls(), (Calls{"reclaim 0", "turn 1"}));
}

TEST_F(PowerControlTest, RefusesATurnWhenThePatienceIsOver) {
    ASSERT_TRUE(wantTurn(kThreeWatts, 0));
    EXPECT_EQ(control.refusal(kTwoWatts), "");
    EXPECT_FALSE(wantTurn(kTwoWatts, kMs));
    EXPECT_FALSE(wantTurn(kTwoWatts, 5 * kMs)) << "its patience counts from the first time";
    control.settle(kMs + kPowerPatienceNs - 1);
    EXPECT_EQ(port.calls(), Calls{"reclaim 0"});
    control.settle(kMs + kPowerPatienceNs);
    EXPECT_EQ(port.calls(), (Calls{"reclaim 0", "no turn 1"})) << "asked for one last time";
    EXPECT_EQ(control.refusal(kTwoWatts),
              "b gets no power now: it needs 2 W, and 3 W of 4 W are granted to a (3 W); try again later");
    EXPECT_EQ(control.budget().drawn(kThreeWatts), 3000U) << "granted work keeps its power";
    control.turnEnded(kThreeWatts);
    EXPECT_TRUE(wantTurn(kTwoWatts, 2 * kPowerPatienceNs));
}

TEST_F(PowerControlTest, RefusesALoadWhenThePatienceIsOver) {
    ASSERT_TRUE(wantTurn(kThreeWatts, 0));
    ASSERT_TRUE(control.wantLoad(kOne, kTwoWatts, kMs));
    control.settle(kMs);
    control.settle(kMs + kPowerPatienceNs);
    EXPECT_EQ(port.calls(), (Calls{"reclaim 0", "reclaim 0", "no load 1"}));
    EXPECT_NE(control.refusal(kTwoWatts), "");
    ASSERT_TRUE(control.wantLoad(kOne, kTwoWatts, kMs + kPowerPatienceNs)) << "it may ask again";
    control.loadEnded(kOne);
    EXPECT_EQ(control.budget().drawn(), 3000U) << "a load without power has none to give back";
}

TEST_F(PowerControlTest, GrantsInTheOrderOfArrival) {
    ASSERT_TRUE(wantTurn(kThreeWatts, 0));
    EXPECT_FALSE(wantTurn(kTwoWatts, kMs));
    EXPECT_FALSE(wantTurn(kOneWatt, 2 * kMs)) << "there is power for it, but B was first";
    control.settle(3 * kMs);
    port.calls();
    control.turnEnded(kThreeWatts);
    EXPECT_FALSE(wantTurn(kThreeWatts, 4 * kMs));
    control.settle(4 * kMs);
    EXPECT_EQ(port.calls(), (Calls{"turn 1", "turn 2", "reclaim 1", "reclaim 2"}));
}

TEST_F(PowerControlTest, LetsWhatDrawsNothingWaitForNobody) {
    ASSERT_TRUE(wantTurn(kThreeWatts, 0));
    EXPECT_FALSE(wantTurn(kTwoWatts, kMs));
    EXPECT_TRUE(wantTurn(kFree, 2 * kMs));
    ASSERT_TRUE(control.wantLoad(kOne, kFree, 3 * kMs));
    control.settle(3 * kMs);
    EXPECT_EQ(port.calls(), (Calls{"load 1", "reclaim 0"}));
}

TEST_F(PowerControlTest, ForgetsALoadThatIsNotWantedAnyMore) {
    ASSERT_TRUE(wantTurn(kThreeWatts, 0));
    ASSERT_TRUE(control.wantLoad(kOne, kTwoWatts, 0));
    control.loadEnded(kOne);
    control.settle(kMs);
    EXPECT_EQ(port.calls(), Calls{});
    control.turnEnded(kThreeWatts);
    control.settle(kMs);
    EXPECT_EQ(port.calls(), Calls{});
    EXPECT_TRUE(control.wantLoad(kOne, kTwoWatts, kMs)) << "it may ask again";
}

TEST_F(PowerControlTest, ForgetsAWishForATurnThatNobodyWaitsForAnyMore) {
    ASSERT_TRUE(wantTurn(kThreeWatts, 0));
    EXPECT_FALSE(wantTurn(kTwoWatts, kMs));
    port.wanted.clear();
    control.settle(kMs);
    EXPECT_EQ(port.calls(), Calls{});
    EXPECT_EQ(control.nextDeadline(), std::nullopt);
    EXPECT_TRUE(wantTurn(kOneWatt, kMs));
}

TEST_F(PowerControlTest, ForgetsASessionThatIsGone) {
    ASSERT_TRUE(control.wantLoad(kOne, kThreeWatts, 0));
    control.settle(0);
    ASSERT_TRUE(control.wantLoad(kTwo, kTwoWatts, 0));
    ASSERT_TRUE(control.wantLoad(kThree, kTwoWatts, 0));
    control.remove(kTwo);  // it waited
    control.remove(kOne);  // it was loading
    control.settle(kMs);
    EXPECT_EQ(port.calls(), (Calls{"load 1", "load 3"}));
    EXPECT_EQ(control.budget().drawn(), 2000U);
    control.remove(99);
}

TEST_F(PowerControlTest, KeepsThePowerOfAUnitUntilTurnAndLoadsHaveEnded) {
    ASSERT_TRUE(wantTurn(kThreeWatts, 0));
    ASSERT_TRUE(control.wantLoad(kOne, kThreeWatts, 0));
    control.settle(0);
    control.turnEnded(kThreeWatts);
    EXPECT_EQ(control.budget().drawn(), 3000U);
    control.loadEnded(kOne);
    EXPECT_EQ(control.budget().drawn(), 0U);
}

// Sessions on three devices whose jobs and loads take random times. A session has one job or load at a time, tries
// again after a pause where it is refused, and dies now and then. A device's turn word is that of its holder.
class PowerSimulation final : public PowerPort {
  public:
    struct Session {
        enum class State : uint8_t { Thinking, Waiting, Working } state = State::Thinking;
        bool loads = false;
        uint32_t device = 0;
        uint64_t sinceNs = 0;  // of Waiting
        uint64_t untilNs = 0;  // of Thinking and Working
        int done = 0;
        int refused = 0;
    };

    PowerSimulation(Milliwatts budget, size_t sessions, unsigned seed)
        : random_(seed), budget_(budget), control_(*this, wattsWithin(budget), {"a", "b", "c"}) {
        for (uint32_t device = 0; device < 3; ++device) {
            ports_.push_back(std::make_unique<Port>(*this, device));
            turns_.emplace_back(*ports_.back(), 60'000 * kMs);
        }
        sessions_.resize(sessions);
    }

    // `most`: how long a job may take.
    void run(uint64_t endNs, uint64_t most) {
        longestWorkNs_ = most;
        while (nowNs_ < endNs) {
            step();
            if (::testing::Test::HasFatalFailure()) {
                return;
            }
        }
    }
    [[nodiscard]] const std::vector<Session>& sessions() const { return sessions_; }

    void grantTurn(uint32_t device, uint64_t nowNs) override { turns_[device].tick(nowNs); }
    void refuseTurn(uint32_t device) override { turns_[device].refuseWaiting(); }
    [[nodiscard]] bool isTurnWanted(uint32_t device) override { return turns_[device].waiting() > 0; }
    [[nodiscard]] Reclaim reclaimTurn(uint32_t device, uint64_t nowNs) override {
        return turns_[device].reclaim(nowNs);
    }
    void grantLoad(SessionKey key) override { work(sessions_[key - 1]); }
    void refuseLoad(SessionKey key) override { beRefused(sessions_[key - 1]); }

  private:
    class Port final : public TurnPort {
      public:
        Port(PowerSimulation& simulation, uint32_t device) : simulation_(simulation), device_(device) {}
        void grant(SessionKey key, uint64_t /*sliceEndNs*/) override {
            simulation_.work(simulation_.sessions_[key - 1]);
        }
        void endSlice(SessionKey /*key*/) override {}
        [[nodiscard]] Reclaim reclaim(SessionKey key, uint64_t nowNs) override {
            return simulation_.reclaim(device_, key, nowNs);
        }
        void kill(SessionKey key) override { FAIL() << "session " << key; }
        [[nodiscard]] bool takePower(uint64_t nowNs) override {
            return simulation_.control_.takeForTurn(device_, nowNs);
        }
        void returnPower() override { simulation_.control_.turnEnded(device_); }
        void refuse(SessionKey key) override { simulation_.beRefused(simulation_.sessions_[key - 1]); }

      private:
        PowerSimulation& simulation_;
        const uint32_t device_;
    };

    uint64_t upTo(uint64_t most) { return std::uniform_int_distribution<uint64_t>(0, most)(random_); }
    [[nodiscard]] SessionKey keyOf(const Session& session) const {
        return static_cast<SessionKey>(&session - sessions_.data()) + 1;
    }
    [[nodiscard]] bool hasTurn(const Session& session) const {
        return turns_[session.device].holder() == keyOf(session);
    }

    void work(Session& session) {
        ASSERT_EQ(session.state, Session::State::Waiting);
        ASSERT_LE(nowNs_ - session.sinceNs, longestWaitNs());
        session.state = Session::State::Working;
        session.untilNs = nowNs_ + 1 + upTo(longestWorkNs_);
    }
    void beRefused(Session& session) {
        ASSERT_EQ(session.state, Session::State::Waiting);
        ++session.refused;
        think(session);
    }
    void think(Session& session) {
        session.state = Session::State::Thinking;
        session.untilNs = nowNs_ + 1 + upTo(5 * kMs);
    }
    // Turns are waited for as long as others use the device; power for the patience.
    [[nodiscard]] uint64_t longestWaitNs() const {
        return sessions_.size() * (longestWorkNs_ + kSliceNs) + (sessions_.size() + 1) * kPowerPatienceNs;
    }

    [[nodiscard]] Reclaim reclaim(uint32_t device, SessionKey key, uint64_t nowNs) {
        Session& session = sessions_[key - 1];
        if (session.state == Session::State::Working && !session.loads && session.device == device) {
            wanted_.insert(device);
            return Reclaim::Busy;
        }
        return nowNs - lastEndNs_[device] < kIdleGraceNs ? Reclaim::Recent : Reclaim::Taken;
    }

    void begin(Session& session) {
        session.state = Session::State::Waiting;
        session.sinceNs = nowNs_;
        session.loads = upTo(3) == 0;
        session.device = static_cast<uint32_t>(upTo(2));
        if (session.loads) {
            ASSERT_TRUE(control_.wantLoad(keyOf(session), session.device, nowNs_));
        } else if (hasTurn(session)) {
            work(session);  // Idle to Busy, and nobody is told
        } else {
            turns_[session.device].want(keyOf(session), nowNs_);
        }
    }

    void finish(Session& session) {
        ++session.done;
        think(session);
        if (session.loads) {
            control_.loadEnded(keyOf(session));
            return;
        }
        lastEndNs_[session.device] = nowNs_;
        if (wanted_.erase(session.device) != 0) {
            turns_[session.device].back(keyOf(session), false, nowNs_);
        }
    }

    void die(Session& session) {
        if (session.state == Session::State::Working && !session.loads) {
            wanted_.erase(session.device);
        }
        for (DeviceTurns& turns : turns_) {
            turns.remove(keyOf(session), nowNs_);
        }
        control_.remove(keyOf(session));
        think(session);  // and comes back as another one
    }

    void step() {
        uint64_t next = control_.nextDeadline().value_or(UINT64_MAX);
        for (const DeviceTurns& turns : turns_) {
            next = std::min(next, turns.nextDeadline().value_or(UINT64_MAX));
        }
        for (const Session& session : sessions_) {
            next = std::min(next, session.state == Session::State::Waiting ? UINT64_MAX : session.untilNs);
        }
        ASSERT_NE(next, UINT64_MAX) << "all wait for ever";
        nowNs_ = std::max(nowNs_, next);
        for (DeviceTurns& turns : turns_) {
            if (turns.nextDeadline().value_or(UINT64_MAX) <= nowNs_) {
                turns.tick(nowNs_);
            }
        }
        for (Session& session : sessions_) {
            if (upTo(5000) == 0) {
                die(session);
            } else if (session.state == Session::State::Working && session.untilNs <= nowNs_) {
                finish(session);
            } else if (session.state == Session::State::Thinking && session.untilNs <= nowNs_) {
                begin(session);
            }
        }
        control_.settle(nowNs_);
        check();
    }

    // What is drawn is what is held and loaded on, and fits.
    void check() {
        const std::array<Milliwatts, 3> watts = {3000, 2000, 1000};
        Milliwatts drawn = 0;
        for (uint32_t device = 0; device < 3; ++device) {
            const auto loadsHere = [&](const Session& session) {
                return session.loads && session.device == device && session.state == Session::State::Working;
            };
            drawn += turns_[device].holder() || std::any_of(sessions_.begin(), sessions_.end(), loadsHere)
                         ? watts[device]
                         : 0;
        }
        ASSERT_EQ(control_.budget().drawn(), drawn);
        ASSERT_LE(drawn, budget_);
    }

    std::mt19937_64 random_;
    const Milliwatts budget_;
    uint64_t nowNs_ = 0;
    uint64_t longestWorkNs_ = 0;
    std::vector<Session> sessions_;
    std::vector<std::unique_ptr<Port>> ports_;
    std::vector<DeviceTurns> turns_;
    std::set<uint32_t> wanted_;  // devices whose holder is to give back at the end of its job
    std::array<uint64_t, 3> lastEndNs_{};
    PowerControl control_;
};

TEST(PowerControlProperty, NeverExceedsTheBudgetAndAnswersEveryWish) {
    for (unsigned seed = 0; seed < 20; ++seed) {
        PowerSimulation simulation(3000 + 500 * (seed % 7), 1 + seed % 8, seed);
        simulation.run(20'000 * kMs, (1 + seed % 5) * 40 * kMs);
        ASSERT_FALSE(HasFatalFailure()) << "seed " << seed;
        for (const PowerSimulation::Session& session : simulation.sessions()) {
            EXPECT_GT(session.done, 0) << "seed " << seed;
        }
    }
}

TEST(PowerControlProperty, RefusesNothingWhereThereIsPowerForAll) {
    PowerSimulation simulation(6000, 6, 1);
    simulation.run(20'000 * kMs, 50 * kMs);
    for (const PowerSimulation::Session& session : simulation.sessions()) {
        EXPECT_EQ(session.refused, 0);
        EXPECT_GT(session.done, 20);
    }
}

// Two units that can't be on at the same time: short jobs on both alternate.
TEST(PowerControlProperty, LetsShortJobsOfDifferentUnitsAlternate) {
    PowerSimulation simulation(3000, 2, 1);
    simulation.run(20'000 * kMs, 10 * kMs);
    const auto& sessions = simulation.sessions();
    EXPECT_EQ(sessions[0].refused + sessions[1].refused, 0);
    EXPECT_LT(std::max(sessions[0].done, sessions[1].done), 2 * std::min(sessions[0].done, sessions[1].done));
}

}  // namespace
}  // namespace larod::service
