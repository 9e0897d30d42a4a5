// SPDX-License-Identifier: Apache-2.0
// The service as a process: start, ready line, end, and clients that find it or don't.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "support/client.h"
#include "support/private_service.h"

namespace larod::test {
namespace {

Failure connectFailure() {
    larodConnection* connection = nullptr;
    CallError error;
    EXPECT_FALSE(larodConnect(&connection, error));
    EXPECT_EQ(connection, nullptr);
    return {error.code(), error.text()};
}

TEST(Lifecycle, TheReadyLineNamesSocketDevicesAndVersion) {
    const PrivateService service;
    EXPECT_NE(service.readyLine().find(service.socketPath()), std::string::npos) << service.readyLine();
    EXPECT_NE(service.readyLine().find("cpu-tflite, cpu-proc, debug-device"), std::string::npos) << service.readyLine();
    EXPECT_NE(service.readyLine().find(OPENLAROD_VERSION_STRING), std::string::npos) << service.readyLine();
}

TEST(Lifecycle, InterruptAndTerminateEndItAndRemoveTheSocket) {
    for (const int number : {SIGINT, SIGTERM}) {
        PrivateService service;
        const Client client;
        const pid_t spawner = service.spawnerPid();
        service.signal(number);
        EXPECT_EQ(service.wait(), 0) << service.log();
        EXPECT_FALSE(std::filesystem::exists(service.socketPath()));
        EXPECT_TRUE(eventually([&] { return ::kill(spawner, 0) != 0 && errno == ESRCH; }));
    }
}

TEST(Lifecycle, AKilledServiceTakesItsProcessesAlong) {
    PrivateService service;
    const Client client;
    const pid_t spawner = service.spawnerPid();
    const auto sessions = service.sessionPids();
    ASSERT_EQ(sessions.size(), 1U);
    service.signal(SIGKILL);
    service.wait();
    for (const pid_t pid : {spawner, sessions[0]}) {
        EXPECT_TRUE(eventually([pid] { return !std::filesystem::exists("/proc/" + std::to_string(pid)); }));
    }
    uint64_t count = 0;
    CallError error;
    EXPECT_FALSE(larodGetNumSessions(client.get(), &count, error));
    EXPECT_EQ(error.code(), LAROD_ERROR_CONNECTION);
}

TEST(Lifecycle, ADeadSpawnerEndsTheService) {
    PrivateService service;
    ::kill(service.spawnerPid(), SIGKILL);
    const int status = service.wait();
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 1);
    EXPECT_FALSE(std::filesystem::exists(service.socketPath()));
}

TEST(Lifecycle, ClientsThatWaitAreToldThatTheServiceWasStopped) {
    PrivateService service;
    Client client;
    Params params;
    params.set("debug.job.1", "hang");
    const auto model = loadParams(client, "debug-device", params);
    const auto inputs = allocTensors(client, model, Side::Inputs);
    const auto outputs = allocTensors(client, model, Side::Outputs);
    std::optional<Failure> failure;
    std::thread waiting([&] { failure = run(client, Request(model, inputs, outputs)); });
    service.signal(SIGTERM);
    service.wait();
    waiting.join();
    ASSERT_TRUE(failure);
    EXPECT_EQ(failure->code, LAROD_ERROR_CONNECTION) << failure->text;
    EXPECT_NE(failure->text.find("stopped"), std::string::npos) << failure->text;
}

TEST(Lifecycle, WithoutAServiceConnectingSaysWhereAndWhatToDo) {
    const TempDir directory;
    const std::string path = directory.path() + "/nobody.sock";
    ::setenv("LAROD_SOCKET", path.c_str(), 1);
    const Failure failure = connectFailure();
    EXPECT_EQ(failure.code, LAROD_ERROR_CONNECTION);
    EXPECT_NE(failure.text.find(path), std::string::npos) << failure.text;
    EXPECT_NE(failure.text.find("LAROD_SOCKET"), std::string::npos) << failure.text;
    ::setenv("LAROD_SOCKET", directory.path().c_str(), 1);
    EXPECT_EQ(connectFailure().code, LAROD_ERROR_CONNECTION);
    ::setenv("LAROD_SOCKET", std::string(200, 'x').c_str(), 1);
    EXPECT_EQ(connectFailure().code, LAROD_ERROR_CONNECTION);
}

TEST(Lifecycle, SessionsAreCountedAtOnce) {
    const PrivateService service;
    const Client first;
    uint64_t count = 0;
    for (uint64_t i = 0; i < 20; ++i) {
        Client second;
        ASSERT_TRUE(larodGetNumSessions(first.get(), &count, nullptr));
        EXPECT_EQ(count, 2U);
        second.disconnect();
        ASSERT_TRUE(larodGetNumSessions(first.get(), &count, nullptr));
        EXPECT_EQ(count, 1U);
    }
}

TEST(Lifecycle, ASecondServiceOnTheSameSocketIsRefused) {
    const PrivateService service;
    const pid_t child = ::fork();
    if (child == 0) {
        ::execl(LAROD_SERVICE_PATH, "larod", "--socket", service.socketPath().c_str(), nullptr);
        ::_exit(127);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 1);
    const Client client;  // the first one still serves
}

}  // namespace
}  // namespace larod::test
