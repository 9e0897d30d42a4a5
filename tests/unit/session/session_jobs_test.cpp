// SPDX-License-Identifier: Apache-2.0
// Jobs of one session: their order, what waits for what, and how they end.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <atomic>
#include <cstring>

#include "buffer/memfd.h"
#include "unit/session/session_fixture.h"

namespace larod::session {
namespace {

using test::Answer;
using test::code;
using test::Gate;
using test::kFirst;
using test::kSecond;
using test::kSecondsAlias;
using test::memoryOf;

// Two models on two devices, and a tensor for all places. A job of the first model runs into the gate.
class SessionJobs : public test::SessionFixture {
  protected:
    SessionJobs() {
        device(kFirst).onRun = [this](const device::JobIo&) {
            ++runs;
            gate.pass();
        };
        greet();
        gated = loadModel(kFirst);
        free = loadModel(kSecond);
        tensor = track(memory_);
    }
    ~SessionJobs() override { gate.open(); }

    [[nodiscard]] wire::RunJob jobOf(uint64_t model, uint8_t priority = 50) const {
        return job(model, tensor, tensor, priority);
    }
    // A job that holds the first device.
    uint64_t block() {
        const uint64_t id = send(jobOf(gated));
        EXPECT_TRUE(gate.waitForArrivals(1));
        return id;
    }

    Gate gate;
    std::atomic<size_t> runs{0};
    uint64_t gated = 0;
    uint64_t free = 0;
    uint64_t tensor = 0;

  private:
    const UniqueFd memory_ = buffer::makeSealedMemfd("memory", 16);
};

TEST_F(SessionJobs, RunByPriorityThenInTheOrderOfSending) {
    const uint64_t first = block();
    const uint64_t low = send(jobOf(gated, 10));
    const uint64_t high = send(jobOf(gated, 90));
    const uint64_t middle = send(jobOf(gated, 50));
    const uint64_t highToo = send(jobOf(gated, 90));
    sync();
    gate.open();
    for (const uint64_t id : {first, high, highToo, middle, low}) {
        EXPECT_TRUE(receive().is(wire::Done::kType, id));
    }
}

TEST_F(SessionJobs, AreExplainedWhereTheyAskForItOnceATensor) {
    wire::RunJob request = jobOf(free);
    EXPECT_EQ(ask(request).header.type, wire::Done::kType);
    request.explain = true;
    const uint64_t id = send(request);
    for (const char* direction : {"input", "output"}) {
        const Answer note = receive();
        EXPECT_TRUE(note.is(wire::Note::kType, id));
        EXPECT_EQ(note.as<wire::Note>().text,
                  "second: " + std::string(direction) +
                      " tensor 0: MAP: mapped (tensor READWRITE|MAP, device READWRITE|MAP)");
    }
    EXPECT_TRUE(receive().is(wire::Done::kType, id));
    EXPECT_EQ(ask(request).header.type, wire::Done::kType) << "no news";
}

// One buffer, under another number and without being tracked, is the same buffer.
TEST_F(SessionJobs, MapAnUntrackedBufferOnce) {
    std::vector<const std::byte*> places;
    device(kSecond).onRun = [&places](const device::JobIo& io) { places.push_back(memoryOf(io.inputs[0]).data()); };
    const uint64_t model = loadModel(kSecond);
    const UniqueFd memory = buffer::makeSealedMemfd("untracked", 16);
    wire::RunJob request = job(model, 0, tensor);
    request.inputs[0].hasFd = true;
    request.inputs[0].fd = {0, 0, LAROD_FD_TYPE_DISK};
    for (int i = 0; i < 3; ++i) {
        const UniqueFd other(::dup(memory.get()));
        const int fd = other.get();
        EXPECT_EQ(ask(request, {&fd, 1}).header.type, wire::Done::kType);
    }
    ASSERT_EQ(places.size(), 3U);
    EXPECT_EQ(places[0], places[1]);
    EXPECT_EQ(places[0], places[2]);
}

TEST_F(SessionJobs, ALongOneStopsNoOtherDeviceAndNoOtherRequest) {
    const uint64_t blocked = block();
    for (int i = 0; i < 10; ++i) {
        EXPECT_EQ(ask(jobOf(free)).header.type, wire::Done::kType);
    }
    const uint64_t model = loadModel(kFirst);
    EXPECT_EQ(ask(wire::DeleteModel{model}).header.type, wire::Done::kType);
    EXPECT_EQ(runs, 1U);
    gate.open();
    EXPECT_TRUE(receive().is(wire::Done::kType, blocked));
}

TEST_F(SessionJobs, ALoadThatTakesLongStopsNoJob) {
    Gate loading;
    device(kSecond).onLoad = [&loading](const device::ModelSource&) { loading.pass(); };
    wire::LoadModel request;
    request.device = kSecond;
    request.access = LAROD_ACCESS_PRIVATE;
    request.hasParams = true;
    const uint64_t load = send(request);
    ASSERT_TRUE(loading.waitForArrivals(1));
    EXPECT_EQ(ask(jobOf(free)).header.type, wire::Done::kType);
    sync();
    loading.open();
    EXPECT_TRUE(receive().is(wire::Model::kType, load));
}

TEST_F(SessionJobs, WaitForTheTurnWithoutStoppingTheReader) {
    arbiter->keepTurns();
    const uint64_t id = send(jobOf(free));
    ASSERT_TRUE(arbiter->waitFor(control::TurnWant::kType, 1));
    sync();
    arbiter->grant(kSecond);
    EXPECT_TRUE(receive().is(wire::Done::kType, id));
    EXPECT_EQ(ask(jobOf(free)).header.type, wire::Done::kType) << "the turn is still held";
    EXPECT_EQ(arbiter->count(control::TurnWant::kType), 1U);
}

TEST_F(SessionJobs, OnADevicesFurtherNameTakeItsTurnAndItsQueue) {
    const uint64_t alias = loadModel(kSecondsAlias);
    arbiter->keepTurns();
    const uint64_t first = send(jobOf(alias));
    const uint64_t second = send(jobOf(free));
    const uint64_t third = send(jobOf(alias));
    ASSERT_TRUE(arbiter->waitFor(control::TurnWant::kType, 1));
    sync();
    arbiter->grant(kSecond);
    for (const uint64_t id : {first, second, third}) {
        EXPECT_TRUE(receive().is(wire::Done::kType, id));
    }
    EXPECT_EQ(arbiter->count(control::TurnWant::kType), 1U);
}

TEST_F(SessionJobs, OfADeletedModelFailWhileTheRunningOneFinishes) {
    const uint64_t running = block();
    const uint64_t queued = send(jobOf(gated));
    EXPECT_EQ(ask(wire::DeleteModel{gated}).header.type, wire::Done::kType);
    EXPECT_EQ(ask(jobOf(gated)).failure().rfind(code(LAROD_ERROR_MODEL_NOT_FOUND), 0), 0U);
    gate.open();
    EXPECT_TRUE(receive().is(wire::Done::kType, running));
    const Answer answer = receive();
    EXPECT_EQ(answer.header.requestId, queued);
    EXPECT_EQ(answer.failure().rfind(code(LAROD_ERROR_MODEL_NOT_FOUND), 0), 0U);
    EXPECT_EQ(runs, 1U);
}

TEST_F(SessionJobs, FinishOnATensorThatIsReleasedMeanwhile) {
    const uint64_t running = block();
    const uint64_t queued = send(jobOf(gated));
    EXPECT_EQ(ask(wire::ReleaseTensors{{tensor}}).header.type, wire::Done::kType);
    gate.open();
    EXPECT_TRUE(receive().is(wire::Done::kType, running));
    EXPECT_TRUE(receive().is(wire::Done::kType, queued));
}

TEST_F(SessionJobs, ThatHaveNotStartedAreDroppedAtADisconnect) {
    block();
    send(jobOf(gated));
    send(jobOf(gated));
    sync();
    const uint64_t id = send(wire::Disconnect{});
    EXPECT_TRUE(receive().is(wire::Done::kType, id));
    EXPECT_EQ(arbiter->count(control::Goodbye::kType), 1U);
    gate.open();
    waitUntilEnded();
    EXPECT_EQ(runs, 1U);
}

TEST_F(SessionJobs, ThatHaveNotStartedAreDroppedWhenTheClientIsGone) {
    block();
    send(jobOf(gated));
    sync();
    ::shutdown(client->fd(), SHUT_WR);
    EXPECT_EQ(receive().header.type, wire::MessageType{}) << "the session has seen it, and hangs up, too";
    gate.open();
    waitUntilEnded();
    EXPECT_EQ(runs, 1U);
}

TEST_F(SessionJobs, ThatWaitForATurnDoNotKeepTheSessionOfAClientThatIsGone) {
    arbiter->keepTurns();
    send(jobOf(free));
    ASSERT_TRUE(arbiter->waitFor(control::TurnWant::kType, 1));
    hangUp();
    waitUntilEnded();
}

TEST_F(SessionJobs, Are16384AtATimeAndNoMore) {
    block();
    const auto request = jobOf(gated);
    for (size_t i = 1; i < wire::kMaxOutstandingRequests; ++i) {
        send(request);
    }
    EXPECT_EQ(ask(request).failure().rfind(code(LAROD_ERROR_JOB), 0), 0U);
    EXPECT_EQ(ask(jobOf(free)).failure().rfind(code(LAROD_ERROR_JOB), 0), 0U) << "the limit is one of the connection";
    gate.open();
    // As soon as one is answered, there is room for one.
    for (size_t i = 0; i < 1000; ++i) {
        ASSERT_EQ(receive().header.type, wire::Done::kType);
        send(request);
    }
    for (size_t i = 0; i < wire::kMaxOutstandingRequests; ++i) {
        ASSERT_EQ(receive().header.type, wire::Done::kType);
    }
}

// How many messages of this size a connection takes while nobody reads.
size_t capacityFor(size_t messageBytes) {
    auto [one, other] = wire::makeSocketPair();
    wire::Channel channel(std::move(one));
    const std::vector<std::byte> message(messageBytes);
    size_t count = 0;
    while (channel.send(message, {}, wire::Wait::No) == wire::Sent::Yes) {
        ++count;
    }
    return count;
}

// A slow callback of one client must not stop the device for the others (behaviour.md 8).
TEST_F(SessionJobs, LetTheTurnGoWhileTheClientLeavesItsRepliesUnread) {
    gate.open();
    const size_t capacity = capacityFor(wire::kHeaderBytes);
    const auto request = jobOf(gated);
    std::thread sender([&] {
        for (size_t i = 0; i < 2 * capacity; ++i) {
            send(request);
        }
    });
    // The session runs jobs until a reply does not fit any more; that job is over, so the turn can be had.
    ASSERT_TRUE(gate.waitForArrivals(capacity + 1));
    const auto giveUp = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (!arbiter->takeTurn(kFirst) && std::chrono::steady_clock::now() < giveUp) {
        std::this_thread::yield();
    }
    EXPECT_LT(std::chrono::steady_clock::now(), giveUp) << "the session keeps the device while it can't send";
    for (size_t i = 0; i < 2 * capacity; ++i) {
        ASSERT_EQ(receive().header.type, wire::Done::kType);
    }
    sender.join();
    EXPECT_EQ(runs, 2 * capacity);
}

TEST_F(SessionJobs, OfTwoDevicesAreAllAnsweredUnderLoad) {
    gate.open();
    constexpr size_t kJobs = 3000;
    std::thread sender([&] {
        for (size_t i = 0; i < kJobs; ++i) {
            send(jobOf(i % 2 == 0 ? gated : free, static_cast<uint8_t>(i % 100)));
        }
    });
    std::vector<bool> answered(kJobs * 2);
    for (size_t i = 0; i < kJobs; ++i) {
        const Answer answer = receive();
        ASSERT_EQ(answer.header.type, wire::Done::kType);
        ASSERT_LT(answer.header.requestId, answered.size());
        EXPECT_FALSE(answered[answer.header.requestId]) << "answered twice";
        answered[answer.header.requestId] = true;
    }
    sender.join();
    EXPECT_EQ(page.jobsDone.load(), kJobs);
    EXPECT_EQ(page.jobsQueued.load(), 0U);
}

}  // namespace
}  // namespace larod::session
