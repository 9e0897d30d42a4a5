// SPDX-License-Identifier: Apache-2.0
// Behaviour 8: asynchronous calls, the thread of callbacks, and what may be done in them.
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <functional>
#include <future>
#include <set>
#include <thread>

#include "conformance/service.h"
#include "support/callbacks.h"

namespace larod::test {
namespace {

using Behaviour_8 = Served;

// Runs a function in the callback of a job, and waits until it is done.
class InCallback {
  public:
    static void run(const Client& client, const Request& request, std::function<void()> function) {
        InCallback self(std::move(function));
        ASSERT_TRUE(larodRunJobAsync(client.get(), request.get(), &InCallback::called, &self, nullptr));
        EXPECT_TRUE(self.done_.get());
    }

  private:
    explicit InCallback(std::function<void()> function) : function_(std::move(function)) {}
    static void called(void* userData, larodError* /*error*/) {
        auto* self = static_cast<InCallback*>(userData);
        self->function_();
        self->done_.set(true);
    }

    std::function<void()> function_;
    Awaited<bool> done_;
};

struct LoadResult {
    Awaited<std::pair<larodModel*, int>> result;
    static void done(larodModel* model, void* userData, larodError* error) {
        static_cast<LoadResult*>(userData)->result.set({model, error == nullptr ? 0 : error->code});
    }
};

TEST_F(Behaviour_8, AnAcceptedRequestIsACopy) {
    const size_t bytes = 256;
    const auto model = echoModel(client_, bytes);
    const auto data = randomBytes(bytes, 1);
    const auto outputs = allocTensors(client_, model, Side::Outputs);
    const auto inputs = allocTensors(client_, model, Side::Inputs);
    inputs.write(0, data);
    Callbacks callbacks;
    {
        Params params;
        params.set("some", 1);
        const Request request(model, inputs, outputs, &params);
        ASSERT_TRUE(larodRunJobAsync(client_.get(), request.get(), Callbacks::done, &callbacks, nullptr));
        params.set("some", 2);
    }
    EXPECT_EQ(callbacks.waitFor(1), std::vector<int>{LAROD_ERROR_NONE});
    EXPECT_EQ(outputs.read(0), data);
}

TEST_F(Behaviour_8, ALoadsFileAndNameAndParametersAreReleasedAtOnce) {
    LoadResult result;
    {
        Params params;
        params.set("debug.echo", 1);
        std::string name = "passing";
        UniqueFd file = memoryFile(std::vector<uint8_t>(10));
        CallError error;
        ASSERT_TRUE(larodLoadModelAsync(client_.get(), file.get(), client_.device(kDebug), LAROD_ACCESS_PRIVATE,
                                        name.c_str(), params.get(), LoadResult::done, &result, error))
            << error.text();
        name.assign(name.size(), 'x');
    }
    const auto [model, code] = result.result.get();
    EXPECT_EQ(code, 0);
    const LoadedModel loaded(model);
    ASSERT_NE(model, nullptr);
    EXPECT_STREQ(larodGetModelName(model, nullptr), "passing");
}

TEST_F(Behaviour_8, AFailedLoadGivesItsCallbackAnErrorAndNoModel) {
    LoadResult result;
    Params params;
    params.set("debug.load", "fail");
    ASSERT_TRUE(larodLoadModelAsync(client_.get(), -1, client_.device(kDebug), LAROD_ACCESS_PRIVATE, "", params.get(),
                                    LoadResult::done, &result, nullptr));
    const auto [model, code] = result.result.get();
    EXPECT_EQ(model, nullptr);
    EXPECT_EQ(code, LAROD_ERROR_LOAD_MODEL);
}

TEST_F(Behaviour_8, ARequestThatIsNotAcceptedHasNoCallback) {
    const Job job(client_, echoModel(client_, 1));
    Callbacks callbacks;
    CallError error;
    EXPECT_FALSE(larodRunJobAsync(client_.get(), nullptr, Callbacks::done, &callbacks, error));
    EXPECT_EQ(error.code(), EINVAL);
    EXPECT_FALSE(larodRunJobAsync(nullptr, job.request.get(), Callbacks::done, &callbacks, error));
    EXPECT_FALSE(larodRunJobAsync(client_.get(), job.request.get(), nullptr, &callbacks, error));
    EXPECT_EQ(error.code(), EINVAL);
    ASSERT_TRUE(larodRunJobAsync(client_.get(), job.request.get(), Callbacks::done, &callbacks, nullptr));
    callbacks.waitFor(1);
    client_.disconnect();
    EXPECT_EQ(callbacks.count(), 1U);
}

TEST_F(Behaviour_8, CallbacksRunOneAtATimeOnOneThreadOfTheLibrary) {
    struct Seen {
        std::atomic<int> inside{0};
        std::atomic<int> overlaps{0};
        std::mutex mutex;
        std::condition_variable changed;
        std::set<std::thread::id> threads;
        size_t count = 0;
        void enter() {
            overlaps += inside++ == 0 ? 0 : 1;
            const std::lock_guard lock(mutex);  // what is counted last ends the test, and this object
            threads.insert(std::this_thread::get_id());
            --inside;
            ++count;
            changed.notify_all();
        }
    } seen;
    const Job job(client_, echoModel(client_, 1));
    const Job other(client_, converter(client_));
    constexpr size_t kRounds = 200;
    Params params;
    for (size_t i = 0; i < kRounds; ++i) {
        for (const Job* each : {&job, &other}) {
            ASSERT_TRUE(larodRunJobAsync(
                client_.get(), each->request.get(),
                [](void* userData, larodError*) { static_cast<Seen*>(userData)->enter(); }, &seen, nullptr));
        }
    }
    for (int i = 0; i < 10; ++i) {
        ASSERT_TRUE(larodLoadModelAsync(
            client_.get(), -1, client_.device(kDebug), LAROD_ACCESS_PRIVATE, "", params.get(),
            [](larodModel* model, void* userData, larodError*) {
                larodDestroyModel(&model);
                static_cast<Seen*>(userData)->enter();
            },
            &seen, nullptr));
    }
    std::unique_lock lock(seen.mutex);
    seen.changed.wait(lock, [&] { return seen.count == 2 * kRounds + 10; });
    EXPECT_EQ(seen.overlaps, 0);
    EXPECT_EQ(seen.threads.size(), 1U);
    EXPECT_FALSE(seen.threads.contains(std::this_thread::get_id()));
}

TEST_F(Behaviour_8, AsynchronousAndLocalCallsWorkInCallbacks) {
    const Job job(client_, echoModel(client_, 16));
    Callbacks next;
    LoadResult loaded;
    Params params;
    InCallback::run(client_, job.request, [&] {
        CallError error;
        EXPECT_TRUE(larodRunJobAsync(client_.get(), job.request.get(), Callbacks::done, &next, error)) << error.text();
        const larodDevice* device = larodGetDevice(client_.get(), kDebug, 0, error);
        EXPECT_NE(device, nullptr);
        EXPECT_TRUE(larodLoadModelAsync(client_.get(), -1, device, LAROD_ACCESS_PRIVATE, "", params.get(),
                                        LoadResult::done, &loaded, error))
            << error.text();
        size_t count = 0;
        EXPECT_NE(larodListDevices(client_.get(), &count, error), nullptr);
        EXPECT_EQ(larodGetModelNumInputs(job.model.get(), error), 1U);
        larodTensor** tensors = larodCreateModelInputs(job.model.get(), &count, error);
        EXPECT_NE(tensors, nullptr);
        EXPECT_TRUE(larodSetTensorFd(tensors[0], 1, error));
        // Neither tracked nor allocated: local.
        EXPECT_TRUE(larodDestroyTensors(client_.get(), &tensors, count, error)) << error.text();
        larodMap* map = larodCreateMap(error);
        EXPECT_TRUE(larodMapSetInt(map, "k", 1, error));
        larodDestroyMap(&map);
        larodJobRequest* request =
            larodCreateJobRequest(job.model.get(), job.inputs.get(), 1, job.outputs.get(), 1, nullptr, error);
        EXPECT_NE(request, nullptr) << error.text();
        EXPECT_TRUE(larodSetJobRequestPriority(request, 60, error));
        larodDestroyJobRequest(&request);
    });
    EXPECT_EQ(next.waitFor(1), std::vector<int>{LAROD_ERROR_NONE});
    LoadedModel model(loaded.result.get().first);
    EXPECT_NE(model.get(), nullptr);
    // Destroying the handle of a model that has just come is fine, too.
    LoadResult second;
    ASSERT_TRUE(larodLoadModelAsync(
        client_.get(), -1, client_.device(kDebug), LAROD_ACCESS_PRIVATE, "", params.get(),
        [](larodModel* given, void* userData, larodError*) {
            larodDestroyModel(&given);
            static_cast<LoadResult*>(userData)->result.set({given, 0});
        },
        &second, nullptr));
    EXPECT_EQ(second.result.get().first, nullptr);
}

TEST_F(Behaviour_8, BlockingCallsInCallbacksFailWithEdeadlk) {
    const Client other;
    const Job job(client_, echoModel(client_, 16));
    std::vector<UniqueFd> fds;
    const auto untracked = ownTensors(client_, job.model, Side::Inputs, fds);
    const UniqueFd file = memoryFile(std::vector<uint8_t>(10));
    Params params;
    InCallback::run(client_, job.request, [&] {
        larodConnection* conn = client_.get();
        CallError error;
        const auto refused = [&error](bool succeeded, const char* function) {
            EXPECT_FALSE(succeeded) << function;
            EXPECT_EQ(error.code(), EDEADLK) << function << ": " << error.text();
        };
        const larodDevice* device = larodGetDevice(conn, kDebug, 0, nullptr);
        uint64_t number = 0;
        size_t count = 0;
        refused(larodRunJob(conn, job.request.get(), error), "larodRunJob");
        refused(larodDeleteModel(conn, job.model.get(), error), "larodDeleteModel");
        refused(larodLoadModel(conn, -1, device, LAROD_ACCESS_PRIVATE, "", params.get(), error) != nullptr,
                "larodLoadModel");
        refused(larodAllocModelInputs(conn, job.model.get(), 0, &count, nullptr, error) != nullptr,
                "larodAllocModelInputs");
        refused(larodAllocModelOutputs(conn, job.model.get(), 0, &count, nullptr, error) != nullptr,
                "larodAllocModelOutputs");
        refused(larodGetModel(conn, idOf(job.model), error) != nullptr, "larodGetModel");
        refused(larodGetModels(conn, &count, error) != nullptr, "larodGetModels");
        refused(larodGetNumSessions(conn, &number, error), "larodGetNumSessions");
        refused(larodTrackTensor(conn, untracked[0], error), "larodTrackTensor");
        refused(larodExportModel(conn, file.get(), file.get(), larodGetDevice(conn, kCpuTflite, 0, nullptr), nullptr,
                                 error),
                "larodExportModel");
        refused(larodDisconnect(&conn, error), "larodDisconnect");
        EXPECT_NE(conn, nullptr);
        // Another connection is not concerned.
        EXPECT_TRUE(larodGetNumSessions(other.get(), &number, error)) << error.text();
        EXPECT_EQ(number, 2U);
    });
    expectRuns(client_, job.request);  // nothing was broken
    // Tracked tensors, in a callback: refused as well.
    size_t count = 0;
    larodTensor** tensors = larodAllocModelInputs(client_.get(), job.model.get(), 0, &count, nullptr, nullptr);
    ASSERT_NE(tensors, nullptr);
    InCallback::run(client_, job.request, [&] {
        CallError error;
        EXPECT_FALSE(larodDestroyTensors(client_.get(), &tensors, count, error));
        EXPECT_EQ(error.code(), EDEADLK) << error.text();
    });
}

TEST_F(Behaviour_8, SynchronousCallsWorkWhileACallbackRuns) {
    const Job job(client_, echoModel(client_, 16));
    struct Gate {
        std::promise<void> entered;
        std::promise<void> open;
    } gate;
    ASSERT_TRUE(larodRunJobAsync(
        client_.get(), job.request.get(),
        [](void* userData, larodError*) {
            auto* self = static_cast<Gate*>(userData);
            self->entered.set_value();
            self->open.get_future().wait();
        },
        &gate, nullptr));
    gate.entered.get_future().wait();
    expectRuns(client_, job.request);
    EXPECT_EQ(modelIds(client_).size(), 1U);
    const Job another(client_, converter(client_));
    expectRuns(client_, another.request);
    gate.open.set_value();
    // A later callback: the one that uses the gate is over.
    Callbacks later;
    ASSERT_TRUE(larodRunJobAsync(client_.get(), job.request.get(), Callbacks::done, &later, nullptr));
    later.waitFor(1);
}

TEST_F(Behaviour_8, ASlowCallbackDelaysItsConnectionsCallbacksOnly) {
    const Client other;
    const Job mine(client_, echoModel(client_, 16));
    const Job theirs(other, echoModel(other, 16));
    std::promise<void> open;
    Callbacks later;
    Callbacks elsewhere;
    ASSERT_TRUE(larodRunJobAsync(
        client_.get(), mine.request.get(),
        [](void* userData, larodError*) { static_cast<std::promise<void>*>(userData)->get_future().wait(); }, &open,
        nullptr));
    ASSERT_TRUE(larodRunJobAsync(client_.get(), mine.request.get(), Callbacks::done, &later, nullptr));
    for (int i = 0; i < 10; ++i) {
        ASSERT_TRUE(larodRunJobAsync(other.get(), theirs.request.get(), Callbacks::done, &elsewhere, nullptr));
    }
    elsewhere.waitFor(10);
    expectRuns(other, theirs.request);
    EXPECT_EQ(later.count(), 0U);
    open.set_value();
    later.waitFor(1);
}

TEST_F(Behaviour_8, DisconnectCallsBackEveryOutstandingRequestOnceBeforeItReturns) {
    const Job hanging(client_, actingModel(client_, "hang"));
    const Job waiting(client_, echoModel(client_, 16));
    Params params;
    params.set("debug.load", "hang");
    Callbacks callbacks;
    constexpr size_t kJobs = 100;
    ASSERT_TRUE(larodRunJobAsync(client_.get(), hanging.request.get(), Callbacks::done, &callbacks, nullptr));
    for (size_t i = 1; i < kJobs; ++i) {
        ASSERT_TRUE(larodRunJobAsync(client_.get(), waiting.request.get(), Callbacks::done, &callbacks, nullptr));
    }
    LoadResult load;
    ASSERT_TRUE(larodLoadModelAsync(client_.get(), -1, client_.device(kDebug), LAROD_ACCESS_PRIVATE, "", params.get(),
                                    LoadResult::done, &load, nullptr));
    client_.disconnect();
    EXPECT_EQ(callbacks.count(), kJobs);
    EXPECT_EQ(callbacks.waitFor(kJobs), std::vector<int>(kJobs, LAROD_ERROR_CONNECTION));
    ASSERT_TRUE(load.result.isThere());
    EXPECT_EQ(load.result.get(), (std::pair<larodModel*, int>(nullptr, LAROD_ERROR_CONNECTION)));
}

TEST_F(Behaviour_8, MoreJobsThanTheLimitAreRefusedInTheirCallbacksAndTheOthersAreKept) {
    constexpr size_t kLimit = 16'384;
    constexpr size_t kMore = 50;
    const Job hanging(client_, actingModel(client_, "hang"));
    Callbacks callbacks;
    for (size_t i = 0; i < kLimit + kMore; ++i) {
        CallError error;
        ASSERT_TRUE(larodRunJobAsync(client_.get(), hanging.request.get(), Callbacks::done, &callbacks, error))
            << error.text();
    }
    // The first one hangs, so nothing but refusals comes back.
    EXPECT_EQ(callbacks.waitFor(kMore), std::vector<int>(kMore, LAROD_ERROR_JOB));
    EXPECT_EQ(modelIds(client_).size(), 1U);  // the session still answers
    EXPECT_EQ(callbacks.count(), kMore);
    client_.disconnect();
    const auto codes = callbacks.waitFor(kLimit + kMore);
    EXPECT_EQ(std::count(codes.begin(), codes.end(), LAROD_ERROR_CONNECTION), static_cast<ptrdiff_t>(kLimit));
}

TEST_F(Behaviour_8, UserDataIsPassedThroughAndMayBeNull) {
    const Job job(client_, echoModel(client_, 1));
    static std::atomic<int> nulls{0};
    nulls = 0;
    ASSERT_TRUE(larodRunJobAsync(
        client_.get(), job.request.get(), [](void* userData, larodError*) { nulls += userData == nullptr ? 1 : 0; },
        nullptr, nullptr));
    client_.disconnect();
    EXPECT_EQ(nulls, 1);
}

}  // namespace
}  // namespace larod::test
