// SPDX-License-Identifier: Apache-2.0
// The arbiter in a thread, with a test as its spawner and sessions.
#pragma once

#include <gtest/gtest.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <future>
#include <thread>

#include "base/monotonic_time.h"
#include "service/arbiter.h"
#include "unit/service/fake_session.h"

namespace larod::service::test {

inline constexpr uint32_t kUser = 1000;
inline constexpr uint32_t kOther = 2000;

// Devices: two units, "first" and "second", and "alias", which is a name of the second.
class ArbiterFixture : public ::testing::Test {
  protected:
    explicit ArbiterFixture(Options chosen = {}) : ArbiterFixture(wire::makeSocketPair(), std::move(chosen)) {}
    ~ArbiterFixture() override {
        spawner_.shutdown();  // so the arbiter ends
        thread_.join();
    }

    std::unique_ptr<FakeSession> start(uint32_t uid) {
        auto session = std::make_unique<FakeSession>(++lastKey_, uid);
        announce(*session);
        return session;
    }

    void announce(FakeSession& session) {
        const std::array<int, 3> fds = {session.serviceEnd.get(), session.arbiterEnd.get(), session.pageFd.get()};
        tell(session.started(), fds);
        session.serviceEnd.reset();
    }

    void end(const FakeSession& session, int waitStatus) {
        tell(session::control::SessionEnded{session.key, waitStatus});
    }

    void name(const FakeSession& session, pid_t pid) { tell(session::control::SessionForked{session.key, pid}); }

    // What all sessions have sent before is dealt with after this: events are taken in the order of their arrival, and
    // with the first answer every session that has been started is among those that are listened to.
    static void settle(FakeSession& witness) {
        countSessions(witness);
        countSessions(witness);
    }

    static Answer load(FakeSession& session, larodAccess access) {
        session::control::RegisterModel model;
        model.info.access = access;
        model.info.sizeBytes = 1;
        model.info.name = "model";
        return session.ask(model);
    }
    static uint64_t loadedId(FakeSession& session, larodAccess access) {
        return load(session, access).as<session::control::ModelRegistered>().modelId;
    }
    static int deletion(FakeSession& session, uint64_t model) {
        return session.ask(wire::DeleteModel{model}).failure();
    }
    static uint64_t countSessions(FakeSession& session) {
        return session.ask(wire::GetNumSessions{}).as<wire::NumSessions>().count;
    }

    // False where the word keeps its value.
    static bool waitWhile(std::atomic<uint32_t>& word, uint32_t value) {
        const uint64_t until = monotonicNs() + kPatienceMs * uint64_t{1'000'000};
        while (word == value) {
            const timespec timeout = {1, 0};
            ::syscall(SYS_futex, &word, FUTEX_WAIT, value, &timeout, nullptr, 0);
            if (monotonicNs() > until) {
                return false;
            }
        }
        return true;
    }

    // False where the session's wait for the turn is not answered.
    static bool waitForTurn(const FakeSession& session, size_t unit = 0) {
        std::atomic<uint32_t>& word = session.page->turns[unit].word;
        for (uint32_t seen = word; session::turnPhase(seen) == session::kTurnNone; seen = word) {
            if (!waitWhile(word, seen)) {
                return false;
            }
        }
        return true;
    }

    static void setPhase(const FakeSession& session, uint32_t phase) {
        std::atomic<uint32_t>& word = session.page->turns[0].word;
        word = session::withTurnPhase(word, phase);
    }

    static constexpr const char* nodePath = "/dev/null";  // of the second

    const Options options;
    const UniqueFd servicePageFd = session::makePage("test");
    session::PageMapping<session::ServicePage> servicePage{servicePageFd.get()};

  private:
    ArbiterFixture(std::pair<UniqueFd, UniqueFd> ends, Options chosen)
        : options(std::move(chosen)), spawner_(std::move(ends.first)) {
        thread_ = std::thread([this, end = std::move(ends.second)]() mutable {
            Arbiter arbiter(options, std::move(end), servicePage,
                            [this](const auto& devices) { ready_.set_value(devices.size()); });
            EXPECT_FALSE(arbiter.run());
        });
        tell(session::control::Ready{
            {{{"first"}, {"second"}, {"alias"}}, {{"first"}, {"second"}}, {0, 1, 1}, {{}, {nodePath}}}});
        EXPECT_EQ(ready_.get_future().get(), 3U);
    }

    template <typename Message>
    void tell(const Message& message, std::span<const int> fds = {}) {
        std::array<std::byte, 1024> buffer;
        EXPECT_EQ(spawner_.send(wire::encode(message, 0, buffer), fds, wire::Wait::Yes), wire::Sent::Yes);
    }

    wire::Channel spawner_;
    std::promise<size_t> ready_;
    std::thread thread_;
    SessionKey lastKey_ = 0;
};

}  // namespace larod::service::test
