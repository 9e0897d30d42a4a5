// SPDX-License-Identifier: Apache-2.0
// Behaviour 9: a service with a power controller, whose budget has room for one of two units at a time.
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <thread>

#include "conformance/service.h"
#include "support/adding_model.h"
#include "support/callbacks.h"
#include "support/temp_dir.h"

namespace larod::test {
namespace {

constexpr int kPower = LAROD_ERROR_POWER_NOT_AVAILABLE;
constexpr int kTries = 50;  // of published clients

class Behaviour_9 : public testing::Test {
  protected:
    Behaviour_9() {
        std::ofstream(file_) << R"({"budget": 4, "devices": [{"name": "debug-device", "power": 3.0},)"
                             << R"( {"name": "cpu", "power": 2.0}, {"name": "DLPU", "power": 1.0}]})";
        service_ = std::make_unique<PrivateService>(std::vector<std::string>{"--power-config", file_});
        client_ = std::make_unique<Client>();
    }

    // The process of the session that is there and was not before.
    [[nodiscard]] pid_t newSession(const std::vector<pid_t>& before) const {
        for (const pid_t pid : service_->sessionPids()) {
            if (std::find(before.begin(), before.end(), pid) == before.end()) {
                return pid;
            }
        }
        ADD_FAILURE() << "there is no new session";
        return 0;
    }

    TempDir directory_;
    const std::string file_ = directory_.path() + "/power.json";
    std::unique_ptr<PrivateService> service_;
    std::unique_ptr<Client> client_;
};

// Runs a job that never ends: debug-device, and so the budget, is taken until the client leaves.
class Holder {
  public:
    Holder() {
        CallError error;
        EXPECT_TRUE(larodRunJobAsync(client_.get(), job_.request.get(), Callbacks::done, &callbacks_, error))
            << error.text();
        EXPECT_TRUE(job_.waitForStart());
    }
    void leave() { client_.disconnect(); }
    [[nodiscard]] int code() { return callbacks_.waitFor(1).at(0); }
    [[nodiscard]] bool isRunning() const { return callbacks_.count() == 0; }

  private:
    Callbacks callbacks_;
    Client client_;
    WatchedJob job_{client_, actingModel(client_, "hang")};
};

void expectRefused(const std::optional<Failure>& failure) {
    ASSERT_TRUE(failure);
    EXPECT_EQ(failure->code, kPower) << failure->text;
    EXPECT_NE(failure->text.find("granted to debug-device (3 W); try again later"), std::string::npos) << failure->text;
}

// As published clients do: the same request again while there is no power. The service takes its time to refuse.
void expectRunsInTheEnd(const Client& client, const Request& request) {
    std::optional<Failure> failure;
    for (int i = 0; i < kTries; ++i) {
        failure = run(client, request);
        if (!failure || failure->code != kPower) {
            break;
        }
    }
    EXPECT_FALSE(failure) << failure->text;
}

// What loading a model on cpu-proc fails with; nothing where it succeeds.
std::optional<Failure> tryToLoad(const Client& client) {
    Params params;
    params.set("image.input.format", "nv12").set("image.input.size", 8, 8);
    params.set("image.output.format", "rgb-interleaved").set("image.output.size", 8, 8);
    CallError error;
    const LoadedModel model(
        larodLoadModel(client.get(), -1, client.device(kCpuProc), LAROD_ACCESS_PRIVATE, "test", params.get(), error));
    return model.get() != nullptr ? std::nullopt : std::optional(Failure{error.code(), error.text()});
}

TEST_F(Behaviour_9, ALoadIsRefusedAndSucceedsLaterWithTheSameFile) {
    const UniqueFd file = memoryFile(addingModel());
    Holder holder;
    expectRefused(tryToLoad(*client_));
    const Failure refusal = loadFailure(*client_, kCpuTflite, file.get(), nullptr);
    EXPECT_EQ(refusal.code, kPower);
    EXPECT_EQ(refusal.text.substr(refusal.text.find("cpu-tflite")),
              "cpu-tflite gets no power now: its unit cpu needs 2 W, and 3 W of 4 W are granted to debug-device (3 W); "
              "try again later");
    EXPECT_TRUE(holder.isRunning());
    holder.leave();
    larodModel* model = nullptr;
    CallError error;
    for (int i = 0; i < kTries && model == nullptr; ++i) {
        model = larodLoadModel(client_->get(), file.get(), client_->device(kCpuTflite), LAROD_ACCESS_PRIVATE, "",
                               nullptr, error);
        ASSERT_TRUE(model != nullptr || error.code() == kPower) << error.text();
    }
    ASSERT_NE(model, nullptr) << error.text();
    const Job job(*client_, LoadedModel(model));
    expectRunsInTheEnd(*client_, job.request);
}

TEST_F(Behaviour_9, AJobIsRefusedAndSucceedsLaterWithTheSameRequest) {
    const Job converts(*client_, converter(*client_));
    const Job adds(*client_, loadFile(*client_, kCpuTflite, addingModel()));
    Holder holder;
    expectRefused(run(*client_, converts.request));
    expectRefused(run(*client_, adds.request));
    EXPECT_TRUE(holder.isRunning());
    holder.leave();
    expectRunsInTheEnd(*client_, converts.request);
    expectRunsInTheEnd(*client_, adds.request);
}

TEST_F(Behaviour_9, CallbacksOfJobsGetTheRefusal) {
    const Job job(*client_, converter(*client_));
    Holder holder;
    Callbacks callbacks;
    constexpr size_t kJobs = 3;
    for (size_t i = 0; i < kJobs; ++i) {
        ASSERT_TRUE(larodRunJobAsync(client_->get(), job.request.get(), Callbacks::done, &callbacks, nullptr));
    }
    EXPECT_EQ(callbacks.waitFor(kJobs), std::vector<int>(kJobs, kPower));
    EXPECT_TRUE(holder.isRunning());
}

TEST_F(Behaviour_9, CallbacksOfLoadsGetTheRefusal) {
    Holder holder;
    const UniqueFd file = memoryFile(addingModel());
    Awaited<int> code;
    ASSERT_TRUE(larodLoadModelAsync(
        client_->get(), file.get(), client_->device(kCpuTflite), LAROD_ACCESS_PRIVATE, "", nullptr,
        [](larodModel* model, void* userData, larodError* error) {
            larodDestroyModel(&model);
            static_cast<Awaited<int>*>(userData)->set(error == nullptr ? LAROD_ERROR_NONE : error->code);
        },
        &code, nullptr));
    EXPECT_EQ(code.get(), kPower);
    EXPECT_TRUE(holder.isRunning());
}

TEST_F(Behaviour_9, AModelOfAnotherSessionThatIsToBeLoadedFirstIsRefused) {
    Params params;
    params.set("image.input.format", "nv12").set("image.input.size", 8, 8);
    params.set("image.output.format", "rgb-interleaved").set("image.output.size", 8, 8);
    const Client owner;
    const Job job(owner, loadParams(owner, kCpuProc, params, LAROD_ACCESS_PUBLIC));
    Holder holder;
    expectRefused(run(*client_, job.request));
    holder.leave();
    expectRunsInTheEnd(*client_, job.request);
}

// Stopped, the session keeps its job running for as long as the test wants.
TEST_F(Behaviour_9, GrantedWorkIsNotInterrupted) {
    const std::vector<pid_t> others = service_->sessionPids();
    const Client worker;
    const pid_t session = newSession(others);
    Params params;
    params.set("debug.delay", int64_t{1'000'000});
    const WatchedJob job(worker, loadParams(worker, kDebug, params));
    Callbacks callbacks;
    ASSERT_TRUE(larodRunJobAsync(worker.get(), job.request.get(), Callbacks::done, &callbacks, nullptr));
    ASSERT_TRUE(job.waitForStart());
    ASSERT_EQ(::kill(session, SIGSTOP), 0);
    for (int i = 0; i < 3; ++i) {
        expectRefused(tryToLoad(*client_));
    }
    EXPECT_EQ(callbacks.count(), 0U);
    ASSERT_EQ(::kill(session, SIGCONT), 0);
    EXPECT_EQ(callbacks.waitFor(1), std::vector<int>{LAROD_ERROR_NONE});
}

TEST_F(Behaviour_9, WhatADeviceDrawsThatNobodyUsesAnyMoreIsThereForAnother) {
    const Client other;
    const Job first(*client_, echoModel(*client_, 4));
    const Job second(other, converter(other));
    for (int i = 0; i < 5; ++i) {
        expectRunsInTheEnd(*client_, first.request);
        expectRunsInTheEnd(other, second.request);
    }
}

TEST_F(Behaviour_9, OneSessionAlternatesBetweenTwoDevices) {
    const Job first(*client_, echoModel(*client_, 4));
    const Job second(*client_, converter(*client_));
    for (int i = 0; i < 5; ++i) {
        expectRunsInTheEnd(*client_, first.request);
        expectRunsInTheEnd(*client_, second.request);
    }
}

TEST_F(Behaviour_9, ASessionWithABacklogDoesNotKeepPowerFromAnother) {
    Client busy;
    Params params;
    params.set("debug.delay", 5000);
    const Job queued(busy, loadParams(busy, kDebug, params));
    const Job other(*client_, converter(*client_));
    Callbacks callbacks;
    constexpr size_t kJobs = 2000;  // ten seconds
    for (size_t i = 0; i < kJobs; ++i) {
        ASSERT_TRUE(larodRunJobAsync(busy.get(), queued.request.get(), Callbacks::done, &callbacks, nullptr));
    }
    callbacks.waitFor(1);
    for (int i = 0; i < 3; ++i) {
        expectRunsInTheEnd(*client_, other.request);
    }
    EXPECT_LT(callbacks.count(), kJobs);
    busy.disconnect();
    callbacks.waitFor(kJobs);
}

TEST_F(Behaviour_9, ALoadGivesThePowerBackWhetherItSucceedsOrFails) {
    const Job job(*client_, echoModel(*client_, 4));
    const LoadedModel model = converter(*client_);
    expectRunsInTheEnd(*client_, job.request);
    Params wrong;
    wrong.set("image.input.format", "nonsense");
    Failure failure;
    for (int i = 0; i < kTries; ++i) {
        failure = loadFailure(*client_, kCpuProc, -1, &wrong);
        if (failure.code != kPower) {
            break;
        }
    }
    EXPECT_EQ(failure.code, LAROD_ERROR_LOAD_MODEL) << failure.text;
    expectRunsInTheEnd(*client_, job.request);
}

TEST_F(Behaviour_9, ALoadKeepsThePowerUntilItEnds) {
    const Job job(*client_, converter(*client_));
    Client loader;
    Params params;
    params.set("debug.load", "hang");
    Awaited<int> code;
    ASSERT_TRUE(larodLoadModelAsync(
        loader.get(), -1, loader.device(kDebug), LAROD_ACCESS_PRIVATE, "", params.get(),
        [](larodModel*, void* userData, larodError* error) {
            static_cast<Awaited<int>*>(userData)->set(error == nullptr ? LAROD_ERROR_NONE : error->code);
        },
        &code, nullptr));
    // Once it has begun there is no power for others.
    EXPECT_TRUE(eventually([&] { return run(*client_, job.request).has_value(); }));
    expectRefused(run(*client_, job.request));
    loader.disconnect();
    EXPECT_EQ(code.get(), LAROD_ERROR_CONNECTION);
    expectRunsInTheEnd(*client_, job.request);
}

TEST_F(Behaviour_9, ASessionThatCrashesGivesItsPowerBack) {
    const Job job(*client_, converter(*client_));
    const Client other;
    const Job crashing(other, actingModel(other, "crash"));
    std::optional<Failure> failure;
    for (int i = 0; i < kTries; ++i) {
        failure = run(other, crashing.request);
        if (failure && failure->code != kPower) {
            break;
        }
    }
    ASSERT_TRUE(failure);
    EXPECT_EQ(failure->code, LAROD_ERROR_CONNECTION) << failure->text;
    expectRunsInTheEnd(*client_, job.request);
}

TEST_F(Behaviour_9, ASessionThatIsKilledGivesItsPowerBack) {
    const Job job(*client_, converter(*client_));
    const std::vector<pid_t> others = service_->sessionPids();
    Holder holder;
    expectRefused(run(*client_, job.request));
    ASSERT_EQ(::kill(newSession(others), SIGKILL), 0);
    EXPECT_EQ(holder.code(), LAROD_ERROR_CONNECTION);
    expectRunsInTheEnd(*client_, job.request);
}

TEST_F(Behaviour_9, AClientThatIsKilledGivesItsPowerBack) {
    client_.reset();  // no thread may be there at the fork
    const pid_t child = ::fork();
    if (child == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        const Holder holder;
        ::pause();
        ::_exit(1);
    }
    ASSERT_GT(child, 0);
    const Client client;
    EXPECT_TRUE(eventually([&] { return tryToLoad(client).has_value(); }));
    ::kill(child, SIGKILL);
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status));
    EXPECT_TRUE(eventually([&] { return !tryToLoad(client); }));
}

TEST_F(Behaviour_9, ANameThatIsNoUnitAndNoDeviceIsLogged) {
    EXPECT_NE(
        service_->log().find("'DLPU' is neither a unit (ace, cpu, dlpu, gpu, tpu) nor a device that runs jobs here"),
        std::string::npos)
        << service_->log();
}

TEST(Behaviour_9_Configuration, AServiceWithAWrongOneDoesNotStart) {
    const TempDir directory;
    const std::string path = directory.path() + "/power.json";
    std::ofstream(path) << R"({"devices": [{"name": "cpu", "power": "2"}]})";
    try {
        const PrivateService service({"--power-config", path});
        ADD_FAILURE() << "it started";
    } catch (const std::runtime_error& error) {
        EXPECT_NE(std::string(error.what()).find(path + ": /devices/0/power: expected watts, a number from 0 to 10000"),
                  std::string::npos)
            << error.what();
    }
}

// The documented form has no budget.
TEST(Behaviour_9_Configuration, NothingIsRefusedWithoutABudget) {
    const TempDir directory;
    const std::string path = directory.path() + "/power.json";
    std::ofstream(path) << R"({"devices":[{"name":"cpu","power":2.0},{"name":"dlpu","power":9000.0}]})";
    const PrivateService service({"--power-config", path});
    const Client client;
    const Holder holder;
    const Job job(client, converter(client));
    expectRuns(client, job.request);
    EXPECT_TRUE(holder.isRunning());
}

}  // namespace
}  // namespace larod::test
