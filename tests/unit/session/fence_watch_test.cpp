// SPDX-License-Identifier: Apache-2.0
// Jobs whose dma-bufs others have not finished with.
#include "session/fence_watch.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>

#include <atomic>
#include <thread>

#include "buffer/memfd.h"
#include "unit/buffer/fake_kernel.h"
#include "unit/session/session_fixture.h"

namespace larod::session {
namespace {

using test::Answer;
using test::kFirst;
using test::kSecond;

// A file that counts as a dma-buf, with a fence that has not signalled.
class Fenced {
  public:
    Fenced(buffer::test::FakeKernel& kernel, short events) {
        struct stat status = {};
        ::fstat(memory.get(), &status);
        kernel.fences.emplace(status.st_ino, buffer::test::FakeKernel::Fence{events, event_.get()});
    }
    void signal() const {
        const uint64_t one = 1;
        EXPECT_EQ(::write(event_.get(), &one, sizeof(one)), static_cast<ssize_t>(sizeof(one)));
    }

    void putOnAgain() const {
        uint64_t value = 0;
        EXPECT_EQ(::read(event_.get(), &value, sizeof(value)), static_cast<ssize_t>(sizeof(value)));
    }

    const UniqueFd memory = buffer::makeSealedMemfd("fenced", 16);

  private:
    const UniqueFd event_{::eventfd(0, EFD_CLOEXEC)};
};

// A model on the first device, one on the second, a free dma-buf, and dma-bufs with fences.
class FencedJobs : public test::SessionFixture {
  protected:
    FencedJobs() {
        device(kFirst).onRun = [this](const device::JobIo&) { ++runs; };
    }
    ~FencedJobs() override { endSession(); }
    void begin() {
        greet();
        model = loadModel(kFirst);
        other = loadModel(kSecond);
        idle = trackDmaBuf(memory_);
    }
    uint64_t trackDmaBuf(const UniqueFd& fd) {
        const int number = fd.get();
        return ask(wire::TrackTensor{{0, 0, LAROD_FD_TYPE_DMA}}, {&number, 1}).as<wire::TensorTracked>().trackingId;
    }

    buffer::test::FakeKernel kernel;
    const Fenced written{kernel, POLLIN};  // somebody writes it
    const Fenced alsoWritten{kernel, POLLIN};
    const Fenced used{kernel, POLLOUT};  // somebody reads it
    std::atomic<size_t> runs{0};
    uint64_t model = 0;
    uint64_t other = 0;
    uint64_t idle = 0;

  private:
    const UniqueFd memory_ = buffer::makeSealedMemfd("memory", 16);
};

TEST_F(FencedJobs, WaitForTheWriterOfAnInputWhileOthersRun) {
    begin();
    const uint64_t input = trackDmaBuf(written.memory);
    const uint64_t waiting = send(job(model, input, idle, 100));
    sync();
    EXPECT_EQ(ask(job(model, idle, idle, 1)).header.type, wire::Done::kType) << "of the same device";
    EXPECT_EQ(ask(job(other, idle, idle)).header.type, wire::Done::kType);
    EXPECT_EQ(runs, 1U);
    EXPECT_EQ(page.jobsQueued.load(), 1U);
    written.signal();
    EXPECT_TRUE(receive().is(wire::Done::kType, waiting));
    EXPECT_EQ(runs, 2U);
    EXPECT_EQ(page.jobsQueued.load(), 0U);
    EXPECT_EQ(ask(job(model, input, idle)).header.type, wire::Done::kType) << "it waits no more";
}

TEST_F(FencedJobs, WaitForTheUsersOfAnOutputButNotForReadersOfAnInput) {
    begin();
    const uint64_t shared = trackDmaBuf(used.memory);
    EXPECT_EQ(ask(job(model, shared, idle)).header.type, wire::Done::kType);
    const uint64_t waiting = send(job(model, idle, shared));
    sync();
    EXPECT_EQ(runs, 1U);
    used.signal();
    EXPECT_TRUE(receive().is(wire::Done::kType, waiting));
}

TEST_F(FencedJobs, WaitAlsoWhereASignalInterruptsTheQuestion) {
    begin();
    const uint64_t input = trackDmaBuf(written.memory);
    kernel.interruptions = 3;
    const uint64_t waiting = send(job(model, input, idle));
    EXPECT_EQ(ask(job(model, idle, idle, 1)).header.type, wire::Done::kType) << "which would come later otherwise";
    EXPECT_EQ(kernel.interruptions, 0);
    written.signal();
    EXPECT_TRUE(receive().is(wire::Done::kType, waiting));
}

// For those the session synchronises an input as one that is written, where the device takes it itself.
TEST_F(FencedJobs, OfOlderProgramsWaitForReadersOfAnInputToo) {
    device(kFirst).properties.native = true;
    begin();
    const uint64_t shared = trackDmaBuf(used.memory);
    EXPECT_EQ(ask(job(model, shared, idle)).header.type, wire::Done::kType) << "of a newer program";
    wire::RunJob older = job(other, shared, idle);
    older.syncNative = true;
    EXPECT_EQ(ask(older).header.type, wire::Done::kType) << "on a device that maps";
    older.modelId = model;
    const uint64_t waiting = send(older);
    EXPECT_EQ(ask(job(model, idle, idle, 1)).header.type, wire::Done::kType) << "which would come later otherwise";
    used.signal();
    EXPECT_TRUE(receive().is(wire::Done::kType, waiting));
}

TEST_F(FencedJobs, WaitForAllTheirBuffers) {
    device(kFirst).inputs = {test::bytesSpec(16), test::bytesSpec(16)};
    begin();
    wire::RunJob request = job(model, trackDmaBuf(written.memory), trackDmaBuf(used.memory));
    request.inputs.resize(2);
    request.inputs[1].trackingId = trackDmaBuf(alsoWritten.memory);
    const uint64_t waiting = send(request);
    for (const Fenced* fence : {&used, &alsoWritten, &written}) {
        sync();
        EXPECT_EQ(runs, 0U);
        fence->signal();
    }
    EXPECT_TRUE(receive().is(wire::Done::kType, waiting));
}

TEST_F(FencedJobs, KeepTheirPlaceInTheOrder) {
    begin();
    const uint64_t input = trackDmaBuf(written.memory);
    const uint64_t first = send(job(model, input, idle));
    const uint64_t second = send(job(model, input, idle, 60));
    sync();
    written.signal();
    // Both are ready at once; whichever the watch reports first may start, but none gets lost.
    std::vector<uint64_t> done = {receive().header.requestId, receive().header.requestId};
    std::sort(done.begin(), done.end());
    EXPECT_EQ(done, (std::vector{first, second}));
}

TEST_F(FencedJobs, FailWhenTheTimeIsOver) {
    options.fenceTimeoutMs = 20;
    begin();
    EXPECT_EQ(ask(job(model, trackDmaBuf(written.memory), idle)).failure(),
              std::to_string(LAROD_ERROR_JOB) +
                  ": input tensor 0: others did not finish with its dma-buf in 20 ms (larod --fence-timeout)");
    EXPECT_EQ(ask(job(model, idle, trackDmaBuf(used.memory))).failure(),
              std::to_string(LAROD_ERROR_JOB) +
                  ": output tensor 0: others did not finish with its dma-buf in 20 ms (larod --fence-timeout)");
    EXPECT_EQ(runs, 0U);
    EXPECT_TRUE(kernel.done.empty()) << "nothing was touched";
    EXPECT_EQ(page.jobsQueued.load(), 0U);
    EXPECT_EQ(page.jobsFailed.load(), 2U);
    EXPECT_EQ(ask(job(model, idle, idle)).header.type, wire::Done::kType);
}

TEST_F(FencedJobs, TheirTimeCountsFromTheFirstWait) {
    options.fenceTimeoutMs = 50;
    begin();
    const uint64_t never = trackDmaBuf(written.memory);
    const uint64_t late = send(job(model, never, idle));
    // Ones that come later don't keep it from its end.
    std::vector<uint64_t> more;
    for (int i = 0; i < 20; ++i) {
        more.push_back(send(job(model, never, idle)));
    }
    EXPECT_TRUE(receive().is(wire::Failure::kType, late));
    for (size_t i = 0; i < more.size(); ++i) {
        EXPECT_EQ(receive().header.type, wire::Failure::kType);
    }
}

// Somebody uses the buffer again and again, each time before the job has got the device.
TEST_F(FencedJobs, HaveTheirTimeForAllTheirWaitsTogether) {
    options.fenceTimeoutMs = 200;
    begin();
    const uint64_t input = trackDmaBuf(written.memory);
    arbiter->keepTurns();
    const uint64_t late = send(job(model, input, idle));
    constexpr int kEachMs = 60;
    constexpr size_t kMostWaits = 10;
    const auto answered = [this](int timeoutMs) {
        pollfd readable = {client->fd(), POLLIN, 0};
        return ::poll(&readable, 1, timeoutMs) == 1;
    };
    bool over = false;
    for (size_t wait = 1; wait <= kMostWaits && !over; ++wait) {
        while (!over && arbiter->count(control::TurnWant::kType) < wait) {
            over = answered(1);
        }
        if (over) {
            break;
        }
        if (wait > 1) {
            written.putOnAgain();
        }
        const uint64_t lastEnd = page.turns[kFirst].lastEndNs;
        arbiter->grant(kFirst);
        while (page.turns[kFirst].lastEndNs == lastEnd || !arbiter->takeTurn(kFirst)) {
            std::this_thread::yield();  // the job is looked at, and waits again
        }
        over = answered(kEachMs);
        written.signal();
    }
    ASSERT_TRUE(over) << "it has waited for " << kMostWaits * kEachMs << " ms";
    EXPECT_TRUE(receive().is(wire::Failure::kType, late));
    EXPECT_EQ(runs, 0U);
}

TEST_F(FencedJobs, EndWithTheSession) {
    options.fenceTimeoutMs = 3'600'000;
    begin();
    const uint64_t input = trackDmaBuf(written.memory);
    for (int i = 0; i < 5; ++i) {
        send(job(model, input, idle));
    }
    sync();
    hangUp();
    waitUntilEnded();
    EXPECT_EQ(runs, 0U);
}

TEST_F(FencedJobs, OfPlainTensorsDoNotExist) {
    begin();
    const uint64_t plain = track(written.memory);  // without DMABUF nothing is synchronised
    EXPECT_EQ(ask(job(model, plain, idle)).header.type, wire::Done::kType);
}

}  // namespace
}  // namespace larod::session
