// SPDX-License-Identifier: Apache-2.0
// Behaviour 10: the service ends, at each stage of each call.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <thread>

#include "conformance/service.h"
#include "support/callbacks.h"
#include "support/threads.h"

namespace larod::test {
namespace {

using Behaviour_10 = Served;

// The promise is one second; a busy machine may take longer to come to it.
constexpr std::chrono::seconds kSoon(LAROD_SANITIZED ? 20 : 5);

// Everything that a call may need, made while the service lives.
struct Things {
    explicit Things(const Client& connected)
        : client(connected), job(client, echoModel(client, 16)), own(ownTensors(client, job.model, Side::Inputs, fds)) {
        file = memoryFile(std::vector<uint8_t>(10));
        device = client.device(kDebug);
        allocated = larodAllocModelInputs(client.get(), job.model.get(), 0, &numAllocated, nullptr, nullptr);
        EXPECT_NE(allocated, nullptr);
    }
    ~Things() { larodDestroyTensors(nullptr, &allocated, numAllocated, nullptr); }
    Things(const Things&) = delete;
    Things& operator=(const Things&) = delete;

    const Client& client;
    std::vector<UniqueFd> fds;
    Job job;
    Tensors own;
    UniqueFd file;
    const larodDevice* device = nullptr;
    Params params;
    larodTensor** allocated = nullptr;
    size_t numAllocated = 0;
};

struct Call {
    const char* name;
    bool (*function)(Things& things, larodError** error);
};

// Synchronous service calls that must fail with LAROD_ERROR_CONNECTION.
const Call kCalls[] = {
    {"GetNumSessions",
     [](Things& t, larodError** error) {
         uint64_t count = 0;
         return larodGetNumSessions(t.client.get(), &count, error);
     }},
    {"LoadModel",
     [](Things& t, larodError** error) {
         larodModel* model =
             larodLoadModel(t.client.get(), t.file.get(), t.device, LAROD_ACCESS_PRIVATE, "", t.params.get(), error);
         const bool loaded = model != nullptr;
         larodDestroyModel(&model);
         return loaded;
     }},
    {"GetModel",
     [](Things& t, larodError** error) {
         larodModel* model = larodGetModel(t.client.get(), idOf(t.job.model), error);
         const bool found = model != nullptr;
         larodDestroyModel(&model);
         return found;
     }},
    {"GetModels",
     [](Things& t, larodError** error) {
         size_t count = 0;
         larodModel** models = larodGetModels(t.client.get(), &count, error);
         const bool listed = models != nullptr;
         larodDestroyModels(&models, count);
         return listed;
     }},
    {"DeleteModel",
     [](Things& t, larodError** error) { return larodDeleteModel(t.client.get(), t.job.model.get(), error); }},
    {"AllocModelInputs",
     [](Things& t, larodError** error) {
         size_t count = 0;
         larodTensor** made = larodAllocModelInputs(t.client.get(), t.job.model.get(), 0, &count, nullptr, error);
         const bool allocated = made != nullptr;
         larodDestroyTensors(nullptr, &made, count, nullptr);
         return allocated;
     }},
    {"AllocModelOutputs",
     [](Things& t, larodError** error) {
         size_t count = 0;
         larodTensor** made = larodAllocModelOutputs(t.client.get(), t.job.model.get(), 0, &count, nullptr, error);
         const bool allocated = made != nullptr;
         larodDestroyTensors(nullptr, &made, count, nullptr);
         return allocated;
     }},
    {"TrackTensor", [](Things& t, larodError** error) { return larodTrackTensor(t.client.get(), t.own[0], error); }},
    {"RunJob", [](Things& t, larodError** error) { return larodRunJob(t.client.get(), t.job.request.get(), error); }},
    {"DestroyTensors",
     [](Things& t, larodError** error) {
         const bool confirmed = larodDestroyTensors(t.client.get(), &t.allocated, t.numAllocated, error);
         EXPECT_EQ(t.allocated, nullptr);  // released nevertheless
         return confirmed;
     }},
    {"ExportModel",
     [](Things& t, larodError** error) {
         return larodExportModel(t.client.get(), t.file.get(), t.file.get(), t.client.device(kCpuTflite), nullptr,
                                 error);
     }},
};

class LostCall : public Served, public testing::WithParamInterface<Call> {};

TEST_P(LostCall, Behaviour_10_FailsSoonWhereTheServiceDiesDuringIt) {
    Things things(client_);
    // A stopped session reads nothing, so the call is certainly under way when the service dies.
    const pid_t session = service_.sessionPids().at(0);
    ASSERT_EQ(::kill(session, SIGSTOP), 0);
    CallError error;
    bool succeeded = true;
    std::atomic<pid_t> caller{0};
    std::thread calling([&] {
        caller = ::gettid();
        succeeded = GetParam().function(things, error);
    });
    ASSERT_TRUE(eventually([&] { return sleeps(caller); }));
    const auto killed = std::chrono::steady_clock::now();
    service_.signal(SIGKILL);
    calling.join();
    EXPECT_LT(std::chrono::steady_clock::now() - killed, kSoon);
    EXPECT_FALSE(succeeded);
    EXPECT_EQ(error.code(), LAROD_ERROR_CONNECTION) << error.text();
    service_.wait();
    // And every later call at once; the library does not connect by itself.
    for (const Call& call : kCalls) {
        if (std::string(call.name) != "DestroyTensors") {
            EXPECT_FALSE(call.function(things, error)) << call.name;
            EXPECT_EQ(error.code(), LAROD_ERROR_CONNECTION) << call.name << ": " << error.text();
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Each, LostCall, testing::ValuesIn(kCalls),
                         [](const auto& testInfo) { return std::string(testInfo.param.name); });

TEST(Behaviour_10_Connect, FailsAtOnceWithoutAService) {
    const TempDir directory;
    ::setenv("LAROD_SOCKET", (directory.path() + "/nobody").c_str(), 1);
    auto* connection = reinterpret_cast<larodConnection*>(&::environ);  // not initialised by the caller, either
    CallError error;
    EXPECT_FALSE(larodConnect(&connection, error));
    EXPECT_EQ(error.code(), LAROD_ERROR_CONNECTION) << error.text();
    EXPECT_EQ(connection, nullptr);
}

TEST_F(Behaviour_10, ConnectFailsWhereTheServiceDiesDuringIt) {
    const pid_t spawner = service_.spawnerPid();
    ASSERT_EQ(::kill(spawner, SIGSTOP), 0);  // nobody accepts
    CallError error;
    larodConnection* connection = nullptr;
    bool succeeded = true;
    std::atomic<pid_t> caller{0};
    std::thread calling([&] {
        caller = ::gettid();
        succeeded = larodConnect(&connection, error);
    });
    ASSERT_TRUE(eventually([&] { return sleeps(caller); }));
    const auto killed = std::chrono::steady_clock::now();
    ::kill(spawner, SIGKILL);
    calling.join();
    EXPECT_LT(std::chrono::steady_clock::now() - killed, kSoon);
    EXPECT_FALSE(succeeded);
    EXPECT_EQ(connection, nullptr);
    EXPECT_EQ(error.code(), LAROD_ERROR_CONNECTION) << error.text();
    service_.wait();
}

TEST_F(Behaviour_10, EveryPendingRequestIsCalledBackOnceWithTheLoss) {
    const Job hanging(client_, actingModel(client_, "hang"));
    const Job waiting(client_, echoModel(client_, 4));
    Params params;
    params.set("debug.load", "hang");
    Callbacks callbacks;
    constexpr size_t kJobs = 200;
    ASSERT_TRUE(larodRunJobAsync(client_.get(), hanging.request.get(), Callbacks::done, &callbacks, nullptr));
    for (size_t i = 1; i < kJobs; ++i) {
        ASSERT_TRUE(larodRunJobAsync(client_.get(), waiting.request.get(), Callbacks::done, &callbacks, nullptr));
    }
    struct Load {
        Callbacks* callbacks;
        larodModel* model = nullptr;
    } load{&callbacks};
    ASSERT_TRUE(larodLoadModelAsync(
        client_.get(), -1, client_.device(kDebug), LAROD_ACCESS_PRIVATE, "", params.get(),
        [](larodModel* model, void* userData, larodError* error) {
            auto* self = static_cast<Load*>(userData);
            self->model = model;
            Callbacks::done(self->callbacks, error);
        },
        &load, nullptr));
    const auto killed = std::chrono::steady_clock::now();
    service_.signal(SIGKILL);
    EXPECT_EQ(callbacks.waitFor(kJobs + 1), std::vector<int>(kJobs + 1, LAROD_ERROR_CONNECTION));
    EXPECT_LT(std::chrono::steady_clock::now() - killed, kSoon);
    EXPECT_EQ(load.model, nullptr);
    service_.wait();
    client_.disconnect();
    EXPECT_EQ(callbacks.count(), kJobs + 1);
}

TEST_F(Behaviour_10, DisconnectingFromALostServiceReleasesTheHandleAndSaysSo) {
    larodConnection* connection = nullptr;
    ASSERT_TRUE(larodConnect(&connection, nullptr));
    service_.signal(SIGKILL);
    service_.wait();
    CallError error;
    EXPECT_FALSE(larodDisconnect(&connection, error));
    EXPECT_EQ(error.code(), LAROD_ERROR_KILL_SESSION) << error.text();
    EXPECT_EQ(connection, nullptr);
    EXPECT_TRUE(larodDisconnect(&connection, error));
    EXPECT_TRUE(larodDisconnect(nullptr, error));
}

TEST_F(Behaviour_10, DisconnectEndsWhereTheServiceDiesDuringIt) {
    larodConnection* connection = nullptr;
    ASSERT_TRUE(larodConnect(&connection, nullptr));
    for (const pid_t session : service_.sessionPids()) {
        ASSERT_EQ(::kill(session, SIGSTOP), 0);
    }
    CallError error;
    bool confirmed = true;
    std::atomic<pid_t> caller{0};
    std::thread calling([&] {
        caller = ::gettid();
        confirmed = larodDisconnect(&connection, error);
    });
    ASSERT_TRUE(eventually([&] { return sleeps(caller); }));
    service_.signal(SIGKILL);
    calling.join();
    EXPECT_FALSE(confirmed);
    EXPECT_EQ(error.code(), LAROD_ERROR_KILL_SESSION) << error.text();
    EXPECT_EQ(connection, nullptr);
    service_.wait();
}

TEST_F(Behaviour_10, LocalCallsKeepWorkingAndEverythingCanBeDestroyed) {
    Things things(client_);
    service_.signal(SIGKILL);
    service_.wait();
    larodModel* model = things.job.model.get();
    EXPECT_EQ(larodGetModelNumInputs(model, nullptr), 1U);
    EXPECT_STREQ(larodGetModelName(model, nullptr), "test");
    EXPECT_NE(larodGetModelDevice(model, nullptr), nullptr);
    size_t count = 0;
    EXPECT_NE(larodListDevices(client_.get(), &count, nullptr), nullptr);
    larodTensor** tensors = larodCreateModelInputs(model, &count, nullptr);
    ASSERT_NE(tensors, nullptr);
    EXPECT_TRUE(larodDestroyTensors(client_.get(), &tensors, count, nullptr));
    EXPECT_TRUE(larodSetJobRequestPriority(things.job.request.get(), 1, nullptr));
    CallError error;
    EXPECT_FALSE(larodDestroyTensors(client_.get(), &things.allocated, things.numAllocated, error));
    EXPECT_EQ(error.code(), LAROD_ERROR_CONNECTION) << error.text();
    EXPECT_EQ(things.allocated, nullptr);
    Callbacks callbacks;
    EXPECT_FALSE(larodRunJobAsync(client_.get(), things.job.request.get(), Callbacks::done, &callbacks, error));
    EXPECT_EQ(error.code(), LAROD_ERROR_CONNECTION) << error.text();
    EXPECT_EQ(callbacks.count(), 0U);
}

TEST_F(Behaviour_10, TheEndOfAClientsOwnSessionIsTheServicesEndForThatClientOnly) {
    const Client other;
    const Job mine(client_, actingModel(client_, "crash"));
    const Job theirs(other, echoModel(other, 4));
    const auto failure = run(client_, mine.request);
    ASSERT_TRUE(failure);
    EXPECT_EQ(failure->code, LAROD_ERROR_CONNECTION);
    EXPECT_NE(failure->text.find("signal"), std::string::npos) << failure->text;
    expectRuns(other, theirs.request);
    const Client again;
    EXPECT_TRUE(eventually([&] { return modelIds(again).size() == 1; }));
}

TEST(Behaviour_10_Restart, AllModelsAreGoneAndClientsConnectAnew) {
    auto first = std::make_unique<PrivateService>();
    Client before;
    const auto model = echoModel(before, 4, LAROD_ACCESS_PUBLIC);
    first.reset();
    const PrivateService second;
    uint64_t count = 0;
    CallError error;
    EXPECT_FALSE(larodGetNumSessions(before.get(), &count, error));
    EXPECT_EQ(error.code(), LAROD_ERROR_CONNECTION) << error.text();
    const Client after;
    EXPECT_TRUE(modelIds(after).empty());
}

}  // namespace
}  // namespace larod::test
