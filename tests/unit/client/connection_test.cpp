// SPDX-License-Identifier: Apache-2.0
// Synchronous and asynchronous requests on one connection.
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <thread>

#include "larod.h"
#include "unit/client/fake_session.h"

namespace larod::client::testing {
namespace {

// Plain session; a connection, a model and a request without tensors.
class Jobs : public ::testing::Test {
  protected:
    explicit Jobs(Script script = FakeSession::plain()) : session_(std::move(script)) {}
    ~Jobs() override { larodDestroyModel(&model_); }

    FakeSession session_;
    TestConnection conn_;
    larodModel* model_ = conn_.load();
    TestRequest request_{model_};
    ErrorHolder error_;
};

TEST_F(Jobs, NumSessionsComesFromTheService) {
    uint64_t count = 0;
    EXPECT_TRUE(larodGetNumSessions(conn_, &count, &error_));
    EXPECT_EQ(count, 3U);
    EXPECT_FALSE(larodGetNumSessions(conn_, nullptr, &error_));
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_FALSE(larodGetNumSessions(nullptr, &count, &error_));
    EXPECT_EQ(error_.code(), EINVAL);
}

size_t callbackThreads() {
    size_t count = 0;
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
        std::string name;
        std::getline(std::ifstream(task.path() / "comm"), name);
        count += name == "larod-callback" ? 1U : 0U;
    }
    return count;
}

// A thread that was joined is listed in /proc for a moment longer.
void waitForTheEndOfCallbackThreads() {
    while (callbackThreads() != 0) {
        std::this_thread::yield();
    }
}

TEST_F(Jobs, OnlyAsynchronousCallsNeedAThread) {
    EXPECT_TRUE(larodRunJob(conn_, request_, &error_));
    EXPECT_EQ(callbackThreads(), 0U);
    JobOutcomes outcomes;
    EXPECT_TRUE(larodRunJobAsync(conn_, request_, JobOutcomes::callback, &outcomes, &error_));
    EXPECT_TRUE(outcomes.wait(1));
    EXPECT_EQ(callbackThreads(), 1U);
    EXPECT_TRUE(larodDisconnect(conn_.address(), &error_));
    waitForTheEndOfCallbackThreads();
}

TEST_F(Jobs, CallbacksRunOnOneThreadOfTheLibraryWithSignalsBlocked) {
    struct Seen {
        Event event;
        std::mutex mutex;
        std::set<std::thread::id> threads;
        bool blocked = true;
    } seen;
    const auto callback = [](void* userData, larodError* error) {
        auto* out = static_cast<Seen*>(userData);
        sigset_t set;
        ::pthread_sigmask(SIG_SETMASK, nullptr, &set);
        {
            const std::lock_guard lock(out->mutex);
            EXPECT_EQ(error, nullptr);
            out->threads.insert(std::this_thread::get_id());
            out->blocked = out->blocked && ::sigismember(&set, SIGINT) == 1 && ::sigismember(&set, SIGUSR1) == 1;
        }
        out->event.set();
    };
    for (int i = 0; i < 10; ++i) {
        EXPECT_TRUE(larodRunJobAsync(conn_, request_, callback, &seen, &error_));
    }
    ASSERT_TRUE(seen.event.wait(10));
    const std::lock_guard lock(seen.mutex);
    EXPECT_EQ(seen.threads.size(), 1U);
    EXPECT_EQ(seen.threads.count(std::this_thread::get_id()), 0U);
    EXPECT_TRUE(seen.blocked);
    sigset_t own;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &own);
    EXPECT_EQ(::sigismember(&own, SIGINT), 0) << "the caller's mask is as it was";
}

TEST_F(Jobs, AsyncLoadGivesTheModelToTheCallback) {
    struct Loaded {
        Event event;
        larodModel* model = nullptr;
    } loaded;
    const UniqueFd file = makeFile();
    EXPECT_TRUE(larodLoadModelAsync(
        conn_, file.get(), larodGetDevice(conn_, "first", 0, nullptr), LAROD_ACCESS_PRIVATE, "n", nullptr,
        [](larodModel* model, void* userData, larodError* error) {
            EXPECT_EQ(error, nullptr);
            static_cast<Loaded*>(userData)->model = model;
            static_cast<Loaded*>(userData)->event.set();
        },
        &loaded, &error_));
    ASSERT_TRUE(loaded.event.wait());
    EXPECT_EQ(larodGetModelId(loaded.model, &error_), 7U);
    EXPECT_EQ(larodGetModelDevice(loaded.model, &error_), larodGetDevice(conn_, "first", 0, nullptr));
    larodDestroyModel(&loaded.model);
}

// What a callback that calls back into the library finds.
struct Reentered {
    larodConnection** conn;
    larodModel* model;
    larodJobRequest* request;
    std::map<std::string, int> codes;
    larodTensor** tracked = nullptr;
    JobOutcomes next;
    bool started = false;
    bool localWorks = false;
    Event event;
};

void reenter(void* userData, larodError* /*error*/) {
    auto& in = *static_cast<Reentered*>(userData);
    larodConnection* conn = *in.conn;
    ErrorHolder error;
    uint64_t number = 0;
    larodTensor** tensors = larodCreateTensors(1, nullptr);
    larodSetTensorFd(tensors[0], 0, nullptr);
    larodMap* map = larodCreateMap(nullptr);
    const larodDevice* device = larodGetDevice(conn, "first", 0, nullptr);
    in.localWorks = device != nullptr && larodGetModelName(in.model, nullptr) != nullptr;
    EXPECT_FALSE(larodRunJob(conn, in.request, &error));
    in.codes["RunJob"] = error.code();
    EXPECT_FALSE(larodDeleteModel(conn, in.model, &error));
    in.codes["DeleteModel"] = error.code();
    EXPECT_EQ(larodLoadModel(conn, -1, device, LAROD_ACCESS_PRIVATE, "", map, &error), nullptr);
    in.codes["LoadModel"] = error.code();
    EXPECT_EQ(larodGetModel(conn, 7, &error), nullptr);
    in.codes["GetModel"] = error.code();
    EXPECT_EQ(larodGetModels(conn, nullptr, &error), nullptr);
    in.codes["GetModels"] = error.code();
    EXPECT_FALSE(larodGetNumSessions(conn, &number, &error));
    in.codes["GetNumSessions"] = error.code();
    EXPECT_EQ(larodAllocModelInputs(conn, in.model, 0, nullptr, nullptr, &error), nullptr);
    in.codes["AllocModelInputs"] = error.code();
    EXPECT_EQ(larodAllocModelOutputs(conn, in.model, 0, nullptr, nullptr, &error), nullptr);
    in.codes["AllocModelOutputs"] = error.code();
    EXPECT_FALSE(larodTrackTensor(conn, tensors[0], &error));
    in.codes["TrackTensor"] = error.code();
    EXPECT_FALSE(larodDestroyTensors(conn, &in.tracked, 1, &error));
    in.codes["DestroyTensors"] = error.code();
    EXPECT_FALSE(larodDisconnect(in.conn, &error));
    in.codes["Disconnect"] = error.code();
    EXPECT_EQ(*in.conn, conn) << "the handle is not released";
    EXPECT_TRUE(larodDestroyTensors(conn, &tensors, 1, &error)) << "local: allowed";
    in.started = larodRunJobAsync(conn, in.request, JobOutcomes::callback, &in.next, &error);
    larodDestroyMap(&map);
    in.event.set();
}

TEST_F(Jobs, BlockingCallsInACallbackFailWithEdeadlkAndAsyncOnesWork) {
    Reentered reentered{conn_.address(), model_, request_, {}, {}, {}, {}, {}, {}};
    reentered.tracked = larodAllocModelOutputs(conn_, model_, 0, nullptr, nullptr, nullptr);
    ASSERT_TRUE(larodRunJobAsync(conn_, request_, reenter, &reentered, &error_));
    ASSERT_TRUE(reentered.event.wait());
    EXPECT_EQ(reentered.codes.size(), 11U);
    for (const auto& [name, code] : reentered.codes) {
        EXPECT_EQ(code, EDEADLK) << name;
    }
    EXPECT_TRUE(reentered.localWorks);
    EXPECT_EQ(reentered.tracked, nullptr);
    EXPECT_TRUE(reentered.started);
    EXPECT_TRUE(reentered.next.wait(1));
    EXPECT_EQ(reentered.next.codes(), std::vector<int>{0});
    EXPECT_TRUE(larodRunJob(conn_, request_, &error_));
}

// A job whose callback keeps the callback thread. Outlives that job.
class StuckCallback {
  public:
    StuckCallback(larodConnection* conn, const larodJobRequest* request) {
        EXPECT_TRUE(larodRunJobAsync(
            conn, request,
            [](void* userData, larodError*) {
                auto* stuck = static_cast<StuckCallback*>(userData);
                stuck->entered_.set();
                EXPECT_TRUE(stuck->open_.wait());
            },
            this, nullptr));
    }
    [[nodiscard]] bool waitUntilStuck() { return entered_.wait(); }
    void release() { open_.set(); }

  private:
    Event entered_;
    Event open_;
};

TEST_F(Jobs, SynchronousCallsWorkWhileACallbackBlocks) {
    StuckCallback stuck(conn_, request_);
    ASSERT_TRUE(stuck.waitUntilStuck());
    JobOutcomes outcomes;
    EXPECT_TRUE(larodRunJobAsync(conn_, request_, JobOutcomes::callback, &outcomes, &error_));
    for (int i = 0; i < 100; ++i) {
        EXPECT_TRUE(larodRunJob(conn_, request_, &error_)) << error_.text();
    }
    EXPECT_TRUE(outcomes.codes().empty()) << "callbacks come one at a time";
    stuck.release();
    EXPECT_TRUE(outcomes.wait(1));
}

TEST_F(Jobs, ManyThreadsShareOneConnection) {
    constexpr int kJobs = 300;
    JobOutcomes outcomes;
    std::atomic<int> failures{0};
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 3; ++thread) {
        threads.emplace_back([&, thread] {
            for (int i = 0; i < kJobs; ++i) {
                const bool good = thread < 2
                                      ? larodRunJob(conn_, request_, nullptr)
                                      : larodRunJobAsync(conn_, request_, JobOutcomes::callback, &outcomes, nullptr);
                failures += good ? 0 : 1;
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_TRUE(outcomes.wait(kJobs));
    EXPECT_EQ(failures, 0);
    EXPECT_EQ(outcomes.codes(), std::vector<int>(kJobs, 0));
}

TEST_F(Jobs, ManyOutstandingJobsAreEachCalledBackOnce) {
    constexpr int kJobs = 5000;
    JobOutcomes outcomes;
    for (int i = 0; i < kJobs; ++i) {
        ASSERT_TRUE(larodRunJobAsync(conn_, request_, JobOutcomes::callback, &outcomes, &error_)) << error_.text();
    }
    ASSERT_TRUE(outcomes.wait(kJobs));
    EXPECT_TRUE(larodDisconnect(conn_.address(), &error_));
    EXPECT_EQ(outcomes.codes(), std::vector<int>(kJobs, 0));
}

// Answers only in pairs, in the reverse order, and fails every job with an even id.
TEST(Replies, BelongToTheirRequestInWhateverOrderTheyCome) {
    FakeSession session([](Peer& peer) {
        peer.welcome();
        peer.send(peer.expect<wire::LoadModel>().id, wire::Model{testModel()});
        uint64_t lastId = 0;
        std::vector<uint64_t> ids;
        for (int i = 0; i < 200; ++i) {
            const auto got = peer.expect<wire::RunJob>();
            EXPECT_GT(got.id, lastId) << "ids grow in the order of sending";
            lastId = got.id;
            ids.push_back(got.id);
            if (ids.size() < 2) {
                continue;
            }
            while (!ids.empty()) {
                if (ids.back() % 2 == 0) {
                    peer.fail(ids.back(), LAROD_ERROR_JOB, std::to_string(ids.back()));
                } else {
                    peer.send(ids.back(), wire::Done{});
                }
                ids.pop_back();
            }
        }
        peer.expectDisconnect();
    });
    TestConnection conn;
    larodModel* model = conn.load();
    const TestRequest request(model);
    larodDestroyModel(&model);
    std::atomic<int> failures{0};
    const auto work = [&] {
        for (int i = 0; i < 100; ++i) {
            ErrorHolder error;
            if (!larodRunJob(conn, request, &error)) {
                EXPECT_EQ(error.code(), LAROD_ERROR_JOB);
                ++failures;
            }
        }
    };
    std::thread other(work);
    work();
    other.join();
    EXPECT_EQ(failures, 100);
}

TEST(Replies, FailuresOfAsyncJobsReachTheCallback) {
    FakeSession session([](Peer& peer) {
        peer.welcome();
        peer.send(peer.expect<wire::LoadModel>().id, wire::Model{testModel()});
        peer.fail(peer.expect<wire::RunJob>().id, LAROD_ERROR_POWER_NOT_AVAILABLE, "no power");
        peer.fail(peer.expect<wire::RunJob>().id, ENOSPC, "no space");
        peer.fail(peer.expect<wire::LoadModel>().id, LAROD_ERROR_LOAD_MODEL, "no model");
        peer.expectDisconnect();
    });
    TestConnection conn;
    larodModel* model = conn.load();
    const TestRequest request(model);
    larodDestroyModel(&model);
    JobOutcomes outcomes;
    ASSERT_TRUE(larodRunJobAsync(conn, request, JobOutcomes::callback, &outcomes, nullptr));
    ASSERT_TRUE(larodRunJobAsync(conn, request, JobOutcomes::callback, &outcomes, nullptr));
    const UniqueFd file = makeFile();
    ASSERT_TRUE(larodLoadModelAsync(
        conn, file.get(), larodGetDevice(conn, "first", 0, nullptr), LAROD_ACCESS_PRIVATE, "", nullptr,
        [](larodModel* loaded, void* userData, larodError* error) {
            EXPECT_EQ(loaded, nullptr);
            JobOutcomes::callback(userData, error);
        },
        &outcomes, nullptr));
    ASSERT_TRUE(outcomes.wait(3));
    EXPECT_EQ(outcomes.codes(), (std::vector<int>{LAROD_ERROR_POWER_NOT_AVAILABLE, ENOSPC, LAROD_ERROR_LOAD_MODEL}));
    EXPECT_EQ(outcomes.texts(), (std::vector<std::string>{"no power", "no space", "no model"}));
}

// A session that answers one job, waits until the client can't send any more, and then answers all that come.
Script answersWhenFull(int jobs) {
    return [jobs](Peer& peer) {
        peer.welcome();
        peer.send(peer.expect<wire::LoadModel>().id, wire::Model{testModel()});
        peer.send(peer.expect<wire::RunJob>().id, wire::Done{});
        peer.waitUntilFull();
        for (int i = 0; i < jobs; ++i) {
            peer.send(peer.expect<wire::RunJob>().id, wire::Done{});
        }
        peer.expectDisconnect();
    };
}

// More than the socket holds (about 278 small messages).
constexpr int kMoreThanFits = 1000;

void startMoreThanFits(larodConnection* conn, const larodJobRequest* request, JobOutcomes& outcomes) {
    for (int i = 0; i < kMoreThanFits; ++i) {
        EXPECT_TRUE(larodRunJobAsync(conn, request, JobOutcomes::callback, &outcomes, nullptr));
    }
}

TEST(FullPipe, ACallbackThatStartsJobsDoesNotDeadlock) {
    struct Chain {
        larodConnection* conn;
        larodJobRequest* request;
        JobOutcomes outcomes;
        Event full;
    } chain{};
    FakeSession session(answersWhenFull(kMoreThanFits));
    TestConnection conn;
    larodModel* model = conn.load();
    const TestRequest request(model);
    larodDestroyModel(&model);
    chain.conn = conn;
    chain.request = request;
    ASSERT_TRUE(larodRunJobAsync(
        conn, request,
        [](void* userData, larodError*) {
            auto& self = *static_cast<Chain*>(userData);
            startMoreThanFits(self.conn, self.request, self.outcomes);
            self.full.set();
        },
        &chain, nullptr));
    ASSERT_TRUE(chain.full.wait());
    ASSERT_TRUE(chain.outcomes.wait(kMoreThanFits));
    EXPECT_EQ(chain.outcomes.codes(), std::vector<int>(kMoreThanFits, 0));
}

TEST(FullPipe, SendersWaitWhileASlowCallbackHoldsTheCallbackThread) {
    FakeSession session(answersWhenFull(2 * kMoreThanFits + 1));
    TestConnection conn;
    larodModel* model = conn.load();
    const TestRequest request(model);
    larodDestroyModel(&model);
    StuckCallback stuck(conn, request);
    ASSERT_TRUE(stuck.waitUntilStuck());
    // Two threads fill the pipe, one calls synchronously: somebody must read.
    JobOutcomes outcomes;
    const auto start = [&] { startMoreThanFits(conn, request, outcomes); };
    std::thread first(start);
    std::thread second(start);
    std::thread third([&] { EXPECT_TRUE(larodRunJob(conn, request, nullptr)); });
    first.join();
    second.join();
    third.join();
    stuck.release();
    ASSERT_TRUE(outcomes.wait(2 * kMoreThanFits));
}

// A thread that can't send waits while another one reads. That one leaves with its reply, and the session reads nothing
// until its own replies are read: so the first thread must read now.
TEST(FullPipe, ASenderReadsWhenTheReaderLeaves) {
    Event allArrived;
    Event synchronousEnded;
    FakeSession session([&](Peer& peer) {
        peer.welcome();
        peer.send(peer.expect<wire::LoadModel>().id, wire::Model{testModel()});
        peer.send(peer.expect<wire::RunJob>().id, wire::Done{});
        std::vector<uint64_t> unanswered;
        for (int i = 0; i < kMoreThanFits; ++i) {
            unanswered.push_back(peer.expect<wire::RunJob>().id);
        }
        const uint64_t synchronous = peer.expect<wire::RunJob>().id;
        allArrived.set();
        peer.waitUntilFull();
        peer.send(synchronous, wire::Done{});
        EXPECT_TRUE(synchronousEnded.wait());
        for (const uint64_t id : unanswered) {
            peer.send(id, wire::Done{});
        }
        for (int i = 0; i < kMoreThanFits; ++i) {
            peer.send(peer.expect<wire::RunJob>().id, wire::Done{});
        }
        peer.expectDisconnect();
    });
    TestConnection conn;
    larodModel* model = conn.load();
    const TestRequest request(model);
    larodDestroyModel(&model);
    StuckCallback stuck(conn, request);
    ASSERT_TRUE(stuck.waitUntilStuck());  // and reads nothing
    JobOutcomes outcomes;
    const auto start = [&] { startMoreThanFits(conn, request, outcomes); };
    start();
    std::thread reader([&] { EXPECT_TRUE(larodRunJob(conn, request, nullptr)); });
    EXPECT_TRUE(allArrived.wait());
    std::thread sender(start);
    reader.join();
    synchronousEnded.set();
    sender.join();
    stuck.release();
    ASSERT_TRUE(outcomes.wait(2 * kMoreThanFits));
}

}  // namespace
}  // namespace larod::client::testing
