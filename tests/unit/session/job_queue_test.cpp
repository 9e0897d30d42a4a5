// SPDX-License-Identifier: Apache-2.0
// In which order a session's jobs run on one device.
#include "session/job_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <tuple>

#include "unit/wire/allocation_count.h"

namespace larod::session {
namespace {

struct FakeJob {
    uint8_t priority;
    uint64_t id;
    friend bool operator==(const FakeJob&, const FakeJob&) = default;
};

using Queue = JobQueue<FakeJob>;

void push(Queue& queue, uint8_t priority, uint64_t id, Queue::State state = Queue::State::Ready) {
    queue.push(std::make_unique<FakeJob>(FakeJob{priority, id}), priority, id, state);
}

std::vector<uint64_t> popAll(Queue& queue) {
    std::vector<uint64_t> ids;
    while (const auto job = queue.pop()) {
        ids.push_back(job->id);
    }
    return ids;
}

TEST(JobQueue, GivesNothingWhenItIsEmpty) {
    Queue queue;
    EXPECT_EQ(queue.pop(), nullptr);
    EXPECT_FALSE(queue.hasReady());
    EXPECT_EQ(queue.size(), 0U);
    EXPECT_TRUE(queue.takeAll().empty());
    EXPECT_FALSE(queue.markReady(1));
}

TEST(JobQueue, RunsHigherPrioritiesFirstAndEqualOnesInTheOrderOfSending) {
    Queue queue;
    push(queue, 50, 1);
    push(queue, 100, 2);
    push(queue, 0, 3);
    push(queue, 50, 4);
    push(queue, 100, 5);
    EXPECT_EQ(popAll(queue), (std::vector<uint64_t>{2, 5, 1, 4, 3}));
}

TEST(JobQueue, OrdersTheSameJobsTheSameWayHoweverTheyArrive) {
    std::vector<std::pair<uint8_t, uint64_t>> jobs = {
        {0, 4}, {7, 1}, {7, 2}, {9, 3}, {9, 5}};  // sorted: the first permutation
    do {
        Queue queue;
        for (const auto& [priority, id] : jobs) {
            push(queue, priority, id);
        }
        ASSERT_EQ(popAll(queue), (std::vector<uint64_t>{3, 5, 1, 2, 4}));
    } while (std::next_permutation(jobs.begin(), jobs.end()));
}

TEST(JobQueue, AJobOfHighestPriorityThatArrivesLateIsTheNext) {
    Queue queue;
    push(queue, 50, 1);
    push(queue, 50, 2);
    EXPECT_EQ(queue.pop()->id, 1U);
    push(queue, 51, 3);
    EXPECT_EQ(popAll(queue), (std::vector<uint64_t>{3, 2}));
}

TEST(JobQueue, PassesOverAWaitingJobWhichKeepsItsPlace) {
    Queue queue;
    push(queue, 50, 1, Queue::State::Waiting);
    push(queue, 50, 2);
    push(queue, 50, 3);
    EXPECT_EQ(queue.size(), 3U);
    EXPECT_EQ(queue.pop()->id, 2U);
    EXPECT_TRUE(queue.markReady(1));
    EXPECT_FALSE(queue.markReady(1)) << "it waits no longer";
    EXPECT_EQ(popAll(queue), (std::vector<uint64_t>{1, 3}));
}

TEST(JobQueue, HasNothingReadyWhileAllJobsWait) {
    Queue queue;
    push(queue, 50, 1, Queue::State::Waiting);
    EXPECT_FALSE(queue.hasReady());
    EXPECT_EQ(queue.pop(), nullptr);
    EXPECT_EQ(queue.size(), 1U);
}

TEST(JobQueue, HandsOutReadyAndWaitingJobsAtTheEnd) {
    Queue queue;
    push(queue, 50, 1, Queue::State::Waiting);
    push(queue, 50, 2);
    push(queue, 60, 3);
    std::vector<uint64_t> ids;
    for (const auto& job : queue.takeAll()) {
        ids.push_back(job->id);
    }
    EXPECT_EQ(ids, (std::vector<uint64_t>{3, 2, 1}));
    EXPECT_EQ(queue.size(), 0U);
    EXPECT_EQ(queue.pop(), nullptr);
    EXPECT_FALSE(queue.markReady(1));
}

// Against the plainest model: a sorted list.
TEST(JobQueue, AgreesWithASortedListWhateverHappens) {
    std::mt19937 random(7);
    for (int round = 0; round < 200; ++round) {
        Queue queue;
        std::vector<FakeJob> ready;
        std::vector<FakeJob> waiting;
        uint64_t lastId = 0;
        for (int step = 0; step < 200; ++step) {
            switch (random() % 5) {
                case 0:
                case 1: {
                    const FakeJob job{static_cast<uint8_t>(random() % 4), ++lastId};
                    ready.push_back(job);
                    push(queue, job.priority, job.id);
                    break;
                }
                case 2: {
                    const FakeJob job{static_cast<uint8_t>(random() % 4), ++lastId};
                    waiting.push_back(job);
                    push(queue, job.priority, job.id, Queue::State::Waiting);
                    break;
                }
                case 3:
                    if (!waiting.empty()) {
                        const auto it = waiting.begin() + static_cast<std::ptrdiff_t>(random() % waiting.size());
                        ASSERT_TRUE(queue.markReady(it->id));
                        ready.push_back(*it);
                        waiting.erase(it);
                    }
                    break;
                default: {
                    const auto first = std::min_element(ready.begin(), ready.end(), [](const auto& a, const auto& b) {
                        return std::tuple(-a.priority, a.id) < std::tuple(-b.priority, b.id);
                    });
                    const auto job = queue.pop();
                    ASSERT_EQ(job != nullptr, first != ready.end());
                    if (job) {
                        ASSERT_EQ(*job, *first);
                        ready.erase(first);
                    }
                }
            }
            ASSERT_EQ(queue.size(), ready.size() + waiting.size());
            ASSERT_EQ(queue.hasReady(), !ready.empty());
        }
    }
}

TEST(JobQueue, AllocatesNothingOnceItHasGrown) {
    constexpr uint64_t kJobs = 100;
    Queue queue;
    std::vector<std::unique_ptr<FakeJob>> jobs;
    for (uint64_t i = 0; i < kJobs; ++i) {
        jobs.push_back(std::make_unique<FakeJob>(FakeJob{static_cast<uint8_t>(i % 3), i}));
    }
    const auto fillAndEmpty = [&] {
        for (auto& job : jobs) {
            const FakeJob value = *job;
            queue.push(std::move(job), value.priority, value.id,
                       value.id % 2 == 0 ? Queue::State::Ready : Queue::State::Waiting);
        }
        for (uint64_t i = 1; i < kJobs; i += 2) {
            queue.markReady(i);
        }
        for (auto& job : jobs) {
            job = queue.pop();
        }
    };
    fillAndEmpty();
    EXPECT_EQ(wire::test::allocatedBy(fillAndEmpty), 0U);
}

}  // namespace
}  // namespace larod::session
