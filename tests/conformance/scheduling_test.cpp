// SPDX-License-Identifier: Apache-2.0
// Behaviour 7: whose job is next.
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <thread>

#include "conformance/service.h"
#include "support/callbacks.h"

namespace larod::test {
namespace {

using Behaviour_7 = Served;

constexpr int64_t kLongUs = 300'000;  // long enough to queue some jobs meanwhile, also on a busy machine

LoadedModel slowModel(const Client& client, int64_t delayUs) {
    Params params;
    params.set("debug.delay", delayUs);
    return loadParams(client, kDebug, params);
}

// Queues jobs with tags and priorities, and gives the order in which they were done.
class TaggedJobs {
  public:
    explicit TaggedJobs(const Client& client) : client_(client) {}
    void start(const Request& request, int tag, uint8_t priority) {
        CallbackOrder::Tag& added = tags_.emplace_back(CallbackOrder::Tag{&order_, tag});
        EXPECT_TRUE(larodSetJobRequestPriority(request.get(), priority, nullptr));
        EXPECT_TRUE(larodRunJobAsync(client_.get(), request.get(), CallbackOrder::Tag::done, &added, nullptr));
    }
    [[nodiscard]] std::vector<int> done() { return order_.waitFor(tags_.size()); }

  private:
    const Client& client_;
    CallbackOrder order_;
    std::deque<CallbackOrder::Tag> tags_;
};

TEST_F(Behaviour_7, WithinASessionHigherPrioritiesGoFirstAndEqualOnesInOrder) {
    const WatchedJob first(client_, slowModel(client_, kLongUs));
    const Job other(client_, echoModel(client_, 1));
    TaggedJobs jobs(client_);
    jobs.start(first.request, 0, 50);
    ASSERT_TRUE(first.waitForStart());
    const std::vector<uint8_t> priorities = {50, 10, 90, 50, 100, 0, 90, 100, 10, 0};
    for (size_t i = 0; i < priorities.size(); ++i) {
        jobs.start(other.request, static_cast<int>(i) + 1, priorities[i]);
    }
    EXPECT_EQ(jobs.done(), (std::vector<int>{0, 5, 8, 3, 7, 1, 4, 2, 9, 6, 10}));
}

TEST_F(Behaviour_7, ARunningJobIsNotInterruptedAndTheNewHighestIsNext) {
    const WatchedJob low(client_, slowModel(client_, kLongUs));
    const Job middle(client_, echoModel(client_, 1));
    TaggedJobs jobs(client_);
    jobs.start(low.request, 1, 0);
    ASSERT_TRUE(low.waitForStart());
    jobs.start(middle.request, 2, 50);
    jobs.start(middle.request, 3, 50);
    jobs.start(middle.request, 4, 100);
    EXPECT_EQ(jobs.done(), (std::vector<int>{1, 4, 2, 3}));
}

TEST_F(Behaviour_7, TheDefaultPriorityIsFifty) {
    const WatchedJob first(client_, slowModel(client_, kLongUs));
    const Job other(client_, echoModel(client_, 1));
    const Request unset(other.model, other.inputs, other.outputs);
    CallbackOrder order;
    std::deque<CallbackOrder::Tag> tags;
    const auto start = [&](const Request& request, int tag) {
        tags.push_back({&order, tag});
        EXPECT_TRUE(larodRunJobAsync(client_.get(), request.get(), CallbackOrder::Tag::done, &tags.back(), nullptr));
    };
    start(first.request, 0);
    ASSERT_TRUE(first.waitForStart());
    ASSERT_TRUE(larodSetJobRequestPriority(other.request.get(), 49, nullptr));
    start(other.request, 1);
    start(unset, 2);
    ASSERT_TRUE(larodSetJobRequestPriority(other.request.get(), 51, nullptr));
    start(other.request, 3);
    EXPECT_EQ(order.waitFor(4), (std::vector<int>{0, 3, 2, 1}));
}

TEST_F(Behaviour_7, PrioritiesHaveNoEffectBetweenSessions) {
    const Client other;
    const Job important(client_, slowModel(client_, 5000));
    const Job humble(other, slowModel(other, 1000));
    ASSERT_TRUE(larodSetJobRequestPriority(important.request.get(), 100, nullptr));
    ASSERT_TRUE(larodSetJobRequestPriority(humble.request.get(), 0, nullptr));
    Callbacks callbacks;
    constexpr size_t kJobs = 400;  // two seconds
    for (size_t i = 0; i < kJobs; ++i) {
        ASSERT_TRUE(larodRunJobAsync(client_.get(), important.request.get(), Callbacks::done, &callbacks, nullptr));
    }
    for (int i = 0; i < 3; ++i) {
        expectRuns(other, humble.request);
    }
    EXPECT_LT(callbacks.count(), kJobs / 2);
    client_.disconnect();
    callbacks.waitFor(kJobs);
}

TEST_F(Behaviour_7, SessionsTakeTurnsWhateverTheLengthOfTheirQueues) {
    const Client other;
    const Job mine(client_, slowModel(client_, 5000));
    const Job theirs(other, slowModel(other, 5000));
    Callbacks many;
    Callbacks few;
    constexpr size_t kMany = 400;
    constexpr size_t kFew = 20;
    for (size_t i = 0; i < kMany; ++i) {
        ASSERT_TRUE(larodRunJobAsync(client_.get(), mine.request.get(), Callbacks::done, &many, nullptr));
    }
    for (size_t i = 0; i < kFew; ++i) {
        ASSERT_TRUE(larodRunJobAsync(other.get(), theirs.request.get(), Callbacks::done, &few, nullptr));
    }
    few.waitFor(kFew);
    EXPECT_LT(many.count(), kMany / 2);
    EXPECT_GT(many.count(), 0U);
    client_.disconnect();
    many.waitFor(kMany);
}

TEST_F(Behaviour_7, SynchronousJobsUseTheSameQueueWithTheirPriority) {
    const Job job(client_, slowModel(client_, 20'000));
    const Job quick(client_, echoModel(client_, 1));
    Callbacks callbacks;
    constexpr size_t kJobs = 20;
    for (size_t i = 0; i < kJobs; ++i) {
        ASSERT_TRUE(larodRunJobAsync(client_.get(), job.request.get(), Callbacks::done, &callbacks, nullptr));
    }
    ASSERT_TRUE(larodSetJobRequestPriority(quick.request.get(), 100, nullptr));
    expectRuns(client_, quick.request);
    EXPECT_LT(callbacks.count(), kJobs);
    // With the lowest priority it runs after all of them: the last one has written its output.
    const Job last(client_, echoModel(client_, 1));
    last.inputs.write(0, std::vector<uint8_t>{7});
    ASSERT_TRUE(larodRunJobAsync(client_.get(), last.request.get(), Callbacks::done, &callbacks, nullptr));
    ASSERT_TRUE(larodSetJobRequestPriority(quick.request.get(), 0, nullptr));
    expectRuns(client_, quick.request);
    EXPECT_EQ(last.outputs.read(0), std::vector<uint8_t>{7});
    callbacks.waitFor(kJobs + 1);
}

TEST_F(Behaviour_7, LoadingStopsNeitherJobsOnOtherDevicesNorOtherSessions) {
    const Client other;
    const Job mine(client_, converter(client_));
    Params params;
    params.set("debug.load", "hang");
    std::atomic<int> code{0};
    ASSERT_TRUE(larodLoadModelAsync(
        client_.get(), -1, client_.device(kDebug), LAROD_ACCESS_PRIVATE, "", params.get(),
        [](larodModel*, void* userData, larodError* error) {
            *static_cast<std::atomic<int>*>(userData) = error == nullptr ? 0 : error->code;
        },
        &code, nullptr));
    for (int i = 0; i < 5; ++i) {
        expectRuns(client_, mine.request);
    }
    EXPECT_EQ(modelIds(other).size(), 1U);
    const Job theirs(other, converter(other));
    expectRuns(other, theirs.request);
    EXPECT_EQ(code, 0);
    client_.disconnect();  // the load still hangs, and the client does not
    EXPECT_EQ(code, LAROD_ERROR_CONNECTION);
}

// A frame goes through two devices; the next ones are on their way meanwhile.
struct Frame {
    const Client* client;
    const Job* convert;
    const Job* echo;
    Callbacks* done;
    static void converted(void* userData, larodError* error) {
        const auto* frame = static_cast<Frame*>(userData);
        if (error != nullptr || !larodRunJobAsync(frame->client->get(), frame->echo->request.get(), Callbacks::done,
                                                  frame->done, nullptr)) {
            ADD_FAILURE() << "a frame was lost";
        }
    }
};

TEST_F(Behaviour_7, PipelinesOverTwoDevicesGiveEveryFrameItsResult) {
    constexpr size_t kDepth = 4;
    Params params;
    params.set("debug.echo", 1).set("debug.input.0", "uint8:1x8x8x3").set("debug.output.0", "uint8:1x8x8x3");
    std::deque<Job> converts;
    std::deque<Job> echoes;
    std::deque<Frame> frames;
    Callbacks done;
    for (size_t i = 0; i < kDepth; ++i) {
        converts.emplace_back(client_, converter(client_));
        echoes.emplace_back(client_, loadParams(client_, kDebug, params));
        // The converter's outputs are the echo's inputs.
        CallError error;
        ASSERT_TRUE(larodSetJobRequestInputs(echoes.back().request.get(), converts.back().outputs.get(), 1, error))
            << error.text();
        frames.push_back({&client_, &converts.back(), &echoes.back(), &done});
    }
    for (size_t round = 1; round <= 25; ++round) {
        for (size_t i = 0; i < kDepth; ++i) {
            std::vector<uint8_t> nv12(96, 128);
            std::fill_n(nv12.begin(), 64, static_cast<uint8_t>(60 + 4 * round + 10 * i));  // a grey of its own
            converts[i].inputs.write(0, nv12);
            ASSERT_TRUE(
                larodRunJobAsync(client_.get(), converts[i].request.get(), Frame::converted, &frames[i], nullptr));
        }
        const auto codes = done.waitFor(round * kDepth);
        EXPECT_EQ(std::count(codes.begin(), codes.end(), LAROD_ERROR_NONE), static_cast<ptrdiff_t>(codes.size()));
        for (size_t i = 0; i < kDepth; ++i) {
            EXPECT_EQ(echoes[i].outputs.read(0), converts[i].outputs.read(0));
        }
        EXPECT_NE(echoes[0].outputs.read(0), echoes[kDepth - 1].outputs.read(0));
    }
}

TEST_F(Behaviour_7, JobsOfTwoThreadsOnTwoDevicesRunAtTheSameTime) {
    const WatchedJob hanging(client_, actingModel(client_, "hang"));
    const Job other(client_, converter(client_));
    std::optional<Failure> failure;
    std::thread first([&] { failure = run(client_, hanging.request); });
    EXPECT_TRUE(hanging.waitForStart());
    for (int i = 0; i < 20; ++i) {
        expectRuns(client_, other.request);
    }
    // What the session was doing when it ended proves that the other job was running all the time.
    ::kill(service_.sessionPids().at(0), SIGABRT);
    first.join();
    ASSERT_TRUE(failure);
    EXPECT_EQ(failure->code, LAROD_ERROR_CONNECTION);
    EXPECT_NE(failure->text.find("running a job of model 'test' on debug-device"), std::string::npos) << failure->text;
}

}  // namespace
}  // namespace larod::test
