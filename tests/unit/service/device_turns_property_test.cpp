// SPDX-License-Identifier: Apache-2.0
// What the rules of device_turns.h add up to: sessions of many kinds on one device, in simulated time.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <queue>
#include <random>

#include "service/device_turns.h"

namespace larod::service {
namespace {

constexpr uint64_t kUs = 1'000;
constexpr uint64_t kMsInNs = 1'000'000;
constexpr uint64_t kShortLimitNs = 200 * kMsInNs;
constexpr uint64_t kShortKillNs = kShortLimitNs + 1000 * kMsInNs;
constexpr uint64_t kReapNs = 2 * kMsInNs;  // from the kill to the end of the process

struct Behaviour {
    bool backlog = false;  // else it sends a job `pauseNs` after the reply
    uint64_t minJobNs = kMsInNs;
    uint64_t maxJobNs = kMsInNs;
    uint64_t pauseNs = 50 * kUs;
    uint64_t startNs = 0;
    uint64_t stopNs = UINT64_MAX;  // asks for nothing from then on
    int hangsAtJob = 0;            // never ends this one
    int diesAtJob = 0;             // its process ends in the middle of this one
};

// One device, its sessions' turn words as status_page.h draws them, and a clock that jumps from event to event.
class Simulation final : public TurnPort {
  public:
    Simulation(std::vector<Behaviour> behaviours, unsigned seed) : random_(seed) {
        for (const Behaviour& behaviour : behaviours) {
            sessions_.push_back({behaviour});
            at(behaviour.startNs, [this, key = sessions_.size() - 1] { nextJob(key); });
        }
    }

    void runUntil(uint64_t endNs) {
        for (;;) {
            const auto deadline = turns_.nextDeadline();
            const uint64_t event = events_.empty() ? UINT64_MAX : events_.top().atNs;
            const uint64_t next = std::min(event, deadline.value_or(UINT64_MAX));
            if (next > endNs) {
                nowNs_ = endNs;
                return;
            }
            ASSERT_GE(next, nowNs_);
            nowNs_ = next;
            if (event <= next) {
                const auto run = events_.top().run;
                events_.pop();
                run();
            } else {
                turns_.tick(nowNs_);
                const auto again = turns_.nextDeadline();
                ASSERT_TRUE(!again || *again > nowNs_) << "a deadline that does not move is a busy loop";
            }
            check();
        }
    }

    struct Session {
        Behaviour behaviour;
        uint64_t usedNs = 0;  // device time of its jobs
        uint64_t longestWaitNs = 0;
        int jobs = 0;
        uint64_t hungAtNs = 0;
        uint64_t killedAtNs = 0;
        enum class Word : uint8_t { None, Idle, Busy } word = Word::None;
        bool wanted = false;
        bool pending = false;  // a job waits
        bool gone = false;
        uint64_t sliceEndNs = 0;
        uint64_t lastEndNs = 0;
        uint64_t jobEndsNs = 0;
        uint64_t pendingSinceNs = 0;
    };
    const Session& operator[](size_t key) const { return sessions_[key]; }
    void forgetMeasurements() {
        for (Session& session : sessions_) {
            session.usedNs = session.longestWaitNs = 0;
        }
    }

    // Jain's index of the device times of `keys`: 1 where all are the same.
    double fairness(const std::vector<size_t>& keys) const {
        double sum = 0;
        double squares = 0;
        for (const size_t key : keys) {
            const auto used = static_cast<double>(sessions_[key].usedNs);
            sum += used;
            squares += used * used;
        }
        return sum * sum / (static_cast<double>(keys.size()) * squares);
    }

    void grant(SessionKey key, uint64_t sliceEndNs) override {
        Session& session = sessions_[key];
        for (const Session& other : sessions_) {
            ASSERT_TRUE(other.gone || other.word == Session::Word::None) << "two have the turn";
        }
        ASSERT_FALSE(session.gone);
        session.word = Session::Word::Idle;
        session.wanted = false;
        session.sliceEndNs = sliceEndNs;
        session.lastEndNs = nowNs_;
        at(nowNs_ + 5 * kUs, [this, key] { startJob(key); });
    }
    void endSlice(SessionKey key) override { sessions_[key].sliceEndNs = 0; }
    Reclaim reclaim(SessionKey key, uint64_t nowNs) override {
        Session& session = sessions_[key];
        session.wanted = true;
        if (session.word != Session::Word::Idle) {
            return Reclaim::Busy;
        }
        if (nowNs - session.lastEndNs < kIdleGraceNs) {
            return Reclaim::Recent;
        }
        session.word = Session::Word::None;
        session.wanted = false;
        return Reclaim::Taken;
    }
    void kill(SessionKey key) override {
        ASSERT_EQ(sessions_[key].killedAtNs, 0U) << "killed twice";
        sessions_[key].killedAtNs = nowNs_;
        at(nowNs_ + kReapNs, [this, key] { end(key); });
    }

    [[nodiscard]] bool takePower(uint64_t /*nowNs*/) override { return true; }
    void returnPower() override {}
    void refuse(SessionKey key) override { FAIL() << "session " << key << " was refused power that there was"; }

  private:
    struct Event {
        uint64_t atNs;
        uint64_t order;
        std::function<void()> run;
        bool operator>(const Event& other) const {
            return atNs != other.atNs ? atNs > other.atNs : order > other.order;
        }
    };

    void at(uint64_t atNs, std::function<void()> run) { events_.push({atNs, ++order_, std::move(run)}); }

    void nextJob(size_t key) {
        Session& session = sessions_[key];
        if (session.gone || nowNs_ >= session.behaviour.stopNs) {
            return;
        }
        session.pending = true;
        session.pendingSinceNs = nowNs_;
        if (session.word == Session::Word::None) {
            turns_.want(key, nowNs_);
        } else {
            startJob(key);
        }
    }

    void startJob(size_t key) {
        Session& session = sessions_[key];
        if (session.gone || session.word != Session::Word::Idle || !session.pending) {
            return;
        }
        session.word = Session::Word::Busy;
        session.pending = false;
        session.longestWaitNs = std::max(session.longestWaitNs, nowNs_ - session.pendingSinceNs);
        ++session.jobs;
        const uint64_t length =
            std::uniform_int_distribution<uint64_t>(session.behaviour.minJobNs, session.behaviour.maxJobNs)(random_);
        if (session.jobs == session.behaviour.hangsAtJob) {
            session.hungAtNs = nowNs_;
        } else if (session.jobs == session.behaviour.diesAtJob) {
            at(nowNs_ + length / 2, [this, key] { end(key); });
        } else {
            at(nowNs_ + length, [this, key, length] { endJob(key, length); });
        }
    }

    // Turn::finish(), and what the client does next.
    void endJob(size_t key, uint64_t length) {
        Session& session = sessions_[key];
        session.usedNs += length;
        session.lastEndNs = nowNs_;
        const bool more = session.behaviour.backlog && nowNs_ < session.behaviour.stopNs;
        if (more) {
            session.pending = true;
            session.pendingSinceNs = nowNs_;
        }
        const bool keep = !session.wanted || (more && nowNs_ < session.sliceEndNs);
        session.word = keep ? Session::Word::Idle : Session::Word::None;
        if (!keep) {
            session.wanted = false;
            turns_.back(key, more, nowNs_);
        } else if (more) {
            startJob(key);
        }
        if (!more && !session.behaviour.backlog) {
            at(nowNs_ + session.behaviour.pauseNs, [this, key] { nextJob(key); });
        }
    }

    void end(size_t key) {
        sessions_[key].gone = true;
        sessions_[key].word = Session::Word::None;
        turns_.remove(key, nowNs_);
    }

    // After each event.
    void check() const {
        if (turns_.waiting() == 0) {
            return;
        }
        ASSERT_TRUE(turns_.holder()) << "a free device, and somebody waits";
        const Session& holder = sessions_[*turns_.holder()];
        ASSERT_TRUE(holder.wanted || holder.killedAtNs != 0) << "the holder does not know";
        ASSERT_TRUE(turns_.nextDeadline() || holder.killedAtNs != 0) << "nothing would end this";
    }

    std::mt19937_64 random_;
    std::vector<Session> sessions_;
    std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
    uint64_t order_ = 0;
    uint64_t nowNs_ = 0;
    DeviceTurns turns_{*this, kShortLimitNs};
};

uint64_t draw(std::mt19937_64& random, uint64_t min, uint64_t max) {
    return std::uniform_int_distribution<uint64_t>(min, max)(random);
}

class DeviceTurnsProperty : public ::testing::TestWithParam<unsigned> {
  protected:
    std::mt19937_64 random{GetParam()};

    Behaviour greedy() {
        Behaviour behaviour;
        behaviour.backlog = true;
        behaviour.minJobNs = draw(random, 50 * kUs, 5 * kMsInNs);
        behaviour.maxJobNs = behaviour.minJobNs + draw(random, 0, 10 * kMsInNs);
        behaviour.startNs = draw(random, 0, 10 * kMsInNs);
        return behaviour;
    }
};

INSTANTIATE_TEST_SUITE_P(Seeds, DeviceTurnsProperty, ::testing::Range(1U, 21U));

std::vector<size_t> upTo(size_t count) {
    std::vector<size_t> keys(count);
    for (size_t i = 0; i < count; ++i) {
        keys[i] = i;
    }
    return keys;
}

TEST_P(DeviceTurnsProperty, SessionsWithABacklogShareTheTimeWhateverTheLengthOfTheirJobs) {
    const size_t count = draw(random, 2, 8);
    std::vector<Behaviour> behaviours;
    for (size_t i = 0; i < count; ++i) {
        behaviours.push_back(greedy());
    }
    Simulation simulation(behaviours, GetParam());
    ASSERT_NO_FATAL_FAILURE(simulation.runUntil(60'000 * kMsInNs));
    EXPECT_GE(simulation.fairness(upTo(count)), 0.99);
}

TEST_P(DeviceTurnsProperty, SynchronousSessionsWithJobsOfOneLengthShareTheTime) {
    const size_t count = draw(random, 2, 8);
    Behaviour behaviour;
    behaviour.minJobNs = behaviour.maxJobNs = draw(random, 100 * kUs, 20 * kMsInNs);
    Simulation simulation(std::vector<Behaviour>(count, behaviour), GetParam());
    ASSERT_NO_FATAL_FAILURE(simulation.runUntil(60'000 * kMsInNs));
    EXPECT_GE(simulation.fairness(upTo(count)), 0.99);
}

TEST_P(DeviceTurnsProperty, ASynchronousSessionWithTheLongerJobsGetsAsMuchAsOnesWithABacklog) {
    std::vector<Behaviour> behaviours;
    const size_t backlogs = draw(random, 1, 4);
    for (size_t i = 0; i < backlogs; ++i) {
        Behaviour behaviour = greedy();
        behaviour.minJobNs = 100 * kUs;
        behaviour.maxJobNs = 900 * kUs;
        behaviours.push_back(behaviour);
    }
    Behaviour synchronous;
    synchronous.minJobNs = 5 * kMsInNs;
    synchronous.maxJobNs = 30 * kMsInNs;
    behaviours.push_back(synchronous);
    Simulation simulation(behaviours, GetParam());
    ASSERT_NO_FATAL_FAILURE(simulation.runUntil(60'000 * kMsInNs));
    EXPECT_GE(simulation.fairness(upTo(behaviours.size())), 0.99);
}

TEST_P(DeviceTurnsProperty, ALightSessionWaitsForNoMoreThanTheJobThatRuns) {
    std::vector<Behaviour> behaviours;
    uint64_t longestJobNs = 0;
    const size_t backlogs = draw(random, 1, 6);
    for (size_t i = 0; i < backlogs; ++i) {
        behaviours.push_back(greedy());
        longestJobNs = std::max(longestJobNs, behaviours.back().maxJobNs);
    }
    Behaviour light;
    light.minJobNs = light.maxJobNs = 100 * kUs;
    light.pauseNs = draw(random, 200 * kMsInNs, 400 * kMsInNs);
    behaviours.push_back(light);
    Simulation simulation(behaviours, GetParam());
    // Until then several have had no time at all, and come first as they came first.
    ASSERT_NO_FATAL_FAILURE(simulation.runUntil(2000 * kMsInNs));
    simulation.forgetMeasurements();
    ASSERT_NO_FATAL_FAILURE(simulation.runUntil(60'000 * kMsInNs));
    ASSERT_GT(simulation[backlogs].jobs, 100);
    EXPECT_LE(simulation[backlogs].longestWaitNs, longestJobNs + 10 * kUs);
}

TEST_P(DeviceTurnsProperty, ASessionThatPausedGetsNoMoreThanTheOthersAfterwards) {
    std::vector<Behaviour> behaviours = {greedy(), greedy(), greedy()};
    behaviours[2].startNs = 30'000 * kMsInNs;
    Simulation simulation(behaviours, GetParam());
    ASSERT_NO_FATAL_FAILURE(simulation.runUntil(30'000 * kMsInNs));
    simulation.forgetMeasurements();
    ASSERT_NO_FATAL_FAILURE(simulation.runUntil(40'000 * kMsInNs));
    EXPECT_GE(simulation.fairness(upTo(3)), 0.99);
}

TEST_P(DeviceTurnsProperty, NobodyStarvesWhateverOthersDo) {
    std::vector<Behaviour> behaviours;
    const size_t count = draw(random, 2, 10);
    size_t hanging = 0;
    for (size_t i = 0; i < count; ++i) {
        Behaviour behaviour = greedy();
        behaviour.backlog = draw(random, 0, 1) == 1;
        behaviour.pauseNs = draw(random, 0, 3 * kMsInNs);
        const uint64_t kind = draw(random, 0, 4);
        if (kind == 0) {
            behaviour.hangsAtJob = static_cast<int>(draw(random, 1, 50));
            ++hanging;
        } else if (kind == 1) {
            behaviour.diesAtJob = static_cast<int>(draw(random, 1, 50));
        } else if (kind == 2) {
            behaviour.stopNs = draw(random, 100 * kMsInNs, 5000 * kMsInNs);
        }
        behaviours.push_back(behaviour);
    }
    // Two that stay.
    behaviours.push_back(greedy());
    behaviours.push_back({});
    Simulation simulation(behaviours, GetParam());
    ASSERT_NO_FATAL_FAILURE(simulation.runUntil(60'000 * kMsInNs));

    const uint64_t longestJobNs = 15 * kMsInNs;
    for (size_t i = 0; i < behaviours.size(); ++i) {
        const Simulation::Session& session = simulation[i];
        EXPECT_GT(session.jobs, 0) << "session " << i;
        EXPECT_LE(session.longestWaitNs,
                  behaviours.size() * 10 * (kSliceNs + longestJobNs) + hanging * (kSliceNs + kShortKillNs + kReapNs))
            << "session " << i;
        if (behaviours[i].hangsAtJob != 0) {
            ASSERT_NE(session.killedAtNs, 0U) << "session " << i << " hangs";
            EXPECT_GE(session.killedAtNs - session.hungAtNs, kShortLimitNs) << "session " << i;
            EXPECT_LE(session.killedAtNs - session.hungAtNs, kSliceNs + kShortKillNs) << "session " << i;
        } else {
            EXPECT_EQ(session.killedAtNs, 0U) << "session " << i << " did nothing wrong";
        }
    }
    EXPECT_GT(simulation[count].usedNs, 1000 * kMsInNs);
    EXPECT_GT(simulation[count + 1].usedNs, 1000 * kMsInNs);
}

}  // namespace
}  // namespace larod::service
