// SPDX-License-Identifier: Apache-2.0
// Nothing that a client does reaches another one.
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>
#include <utility>

#include "support/client.h"
#include "support/private_service.h"
#include "wire/channel.h"
#include "wire/codec.h"

namespace larod::test {
namespace {

constexpr const char* kDebug = "debug-device";

class Isolation : public testing::Test {
  protected:
    // A client that works: a job with a checked result.
    static void expectEcho(const Client& client, uint64_t seed) {
        Params params;
        params.set("debug.echo", 1).set("debug.input.0", "uint8:4096").set("debug.output.0", "uint8:4096");
        const auto model = loadParams(client, kDebug, params);
        const auto inputs = allocTensors(client, model, Side::Inputs);
        const auto outputs = allocTensors(client, model, Side::Outputs);
        const auto data = randomBytes(4096, seed);
        inputs.write(0, data);
        const auto failure = run(client, Request(model, inputs, outputs));
        ASSERT_FALSE(failure) << failure->text;
        EXPECT_EQ(outputs.read(0), data);
        EXPECT_TRUE(larodDeleteModel(client.get(), model.get(), nullptr));
    }

    static Failure failingJob(const Client& client, const char* action) {
        Params params;
        params.set("debug.job.1", action);
        const auto model = loadParams(client, kDebug, params);
        const auto inputs = allocTensors(client, model, Side::Inputs);
        const auto outputs = allocTensors(client, model, Side::Outputs);
        return run(client, Request(model, inputs, outputs)).value_or(Failure{});
    }
};

TEST_F(Isolation, ACrashInAJobIsToldAndHurtsNobodyElse) {
    const PrivateService service;
    const Client other;
    expectEcho(other, 1);
    for (const char* action : {"crash", "abort"}) {
        Client victim;
        const Failure failure = failingJob(victim, action);
        EXPECT_EQ(failure.code, LAROD_ERROR_CONNECTION);
        EXPECT_NE(failure.text.find("signal"), std::string::npos) << failure.text;
        EXPECT_NE(failure.text.find("running a job of model 'test' on debug-device"), std::string::npos)
            << failure.text;
        // Later calls say the same, and the end is not confirmed.
        uint64_t sessions = 0;
        CallError error;
        EXPECT_FALSE(larodGetNumSessions(victim.get(), &sessions, error));
        EXPECT_EQ(error.code(), LAROD_ERROR_CONNECTION);
    }
    expectEcho(other, 2);
}

TEST_F(Isolation, ACrashWhileLoadingIsTold) {
    const PrivateService service;
    const Client other;
    Client victim;
    Params params;
    params.set("debug.load", "crash");
    const Failure failure = loadFailure(victim, kDebug, -1, &params);
    EXPECT_EQ(failure.code, LAROD_ERROR_CONNECTION);
    EXPECT_NE(failure.text.find("loading a model on debug-device"), std::string::npos) << failure.text;
    expectEcho(other, 3);
}

TEST_F(Isolation, AJobThatHangsCostsItsSessionWhenOthersWait) {
    const PrivateService service({"--job-limit", "50"});
    const Client other;
    Client victim;
    Failure failure;
    std::atomic<bool> ended{false};
    std::thread hanging([&] {
        failure = failingJob(victim, "hang");
        ended = true;
    });
    // Sooner or later a job of the other client waits for the device, which is what ends the hanging one.
    for (uint64_t i = 0; !ended; ++i) {
        expectEcho(other, i);
    }
    hanging.join();
    EXPECT_EQ(failure.code, LAROD_ERROR_CONNECTION);
    EXPECT_NE(failure.text.find("50 ms"), std::string::npos) << failure.text;
}

TEST_F(Isolation, AClientThatIsKilledInAJobLeavesNothing) {
    PrivateService service;
    const Client other;
    expectEcho(other, 1);
    int ready[2] = {-1, -1};
    ASSERT_EQ(::pipe(ready), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        Client client;
        Params params;
        params.set("debug.job.1", "hang");
        const auto model = loadParams(client, kDebug, params);
        const auto inputs = allocTensors(client, model, Side::Inputs);
        const auto outputs = allocTensors(client, model, Side::Outputs);
        const Request request(model, inputs, outputs);
        larodRunJobAsync(
            client.get(), request.get(), [](void*, larodError*) {}, nullptr, nullptr);
        [[maybe_unused]] const ssize_t written = ::write(ready[1], "x", 1);
        ::pause();
        ::_exit(0);
    }
    char byte = 0;
    ASSERT_EQ(::read(ready[0], &byte, 1), 1);
    ASSERT_EQ(service.sessionPids().size(), 2U);
    ::kill(child, SIGKILL);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    ::close(ready[0]);
    ::close(ready[1]);
    EXPECT_TRUE(eventually([&] { return service.sessionPids().size() == 1; }));
    uint64_t sessions = 0;
    ASSERT_TRUE(eventually([&] { return larodGetNumSessions(other.get(), &sessions, nullptr) && sessions == 1; }));
    size_t models = 0;
    larodModel** list = larodGetModels(other.get(), &models, nullptr);
    EXPECT_EQ(models, 0U);
    larodDestroyModels(&list, models);
    expectEcho(other, 2);
}

TEST_F(Isolation, AClientThatLeavesItsRepliesUnreadKeepsNobodyFromTheDevice) {
    const PrivateService service;
    const Client other;
    Client slow;
    const auto model = loadParams(slow, kDebug, Params());
    const auto inputs = allocTensors(slow, model, Side::Inputs);
    const auto outputs = allocTensors(slow, model, Side::Outputs);
    const Request request(model, inputs, outputs);
    std::mutex blocked;
    std::unique_lock lock(blocked);
    const auto callback = [](void* userData, larodError*) {
        const std::lock_guard wait(*static_cast<std::mutex*>(userData));
    };
    for (int i = 0; i < 2000; ++i) {
        ASSERT_TRUE(larodRunJobAsync(slow.get(), request.get(), callback, &blocked, nullptr));
    }
    for (uint64_t i = 0; i < 20; ++i) {
        expectEcho(other, i);  // within the job limit, or the slow client would have been ended
    }
    lock.unlock();
    uint64_t sessions = 0;
    EXPECT_TRUE(larodGetNumSessions(slow.get(), &sessions, nullptr));
    EXPECT_EQ(sessions, 2U);
}

TEST_F(Isolation, LoadsThatAreUnderWayAtDisconnectLeaveNoModelBehind) {
    const PrivateService service;
    const Client other;
    for (int round = 0; round < 10; ++round) {
        Client client;
        const Params params;
        for (int i = 0; i < 50; ++i) {
            ASSERT_TRUE(larodLoadModelAsync(
                client.get(), -1, client.device(kDebug), LAROD_ACCESS_PRIVATE, "", params.get(),
                [](larodModel* loaded, void*, larodError*) { larodDestroyModel(&loaded); }, nullptr, nullptr));
        }
    }
    ASSERT_TRUE(eventually([&] { return service.sessionPids().size() == 1; }));
    size_t count = 0;
    larodModel** models = larodGetModels(other.get(), &count, nullptr);
    EXPECT_EQ(count, 0U);
    larodDestroyModels(&models, count);
}

TEST_F(Isolation, TheNoteOfACrashNamesTheModelThatRan) {
    const PrivateService service;
    Client client;
    Params params;
    params.set("debug.job.1", "crash");
    CallError error;
    const LoadedModel guilty(
        larodLoadModel(client.get(), -1, client.device(kDebug), LAROD_ACCESS_PRIVATE, "guilty", params.get(), error));
    const auto innocent = loadParams(client, kDebug, Params());
    const auto inputs = allocTensors(client, guilty, Side::Inputs);
    const auto outputs = allocTensors(client, guilty, Side::Outputs);
    const auto failure = run(client, Request(guilty, inputs, outputs));
    ASSERT_TRUE(failure);
    EXPECT_NE(failure->text.find("'guilty'"), std::string::npos) << failure->text;
}

TEST_F(Isolation, NamesFromClientsCantForgeLinesOfTheLog) {
    const PrivateService service;
    Client client;
    Params params;
    params.set("debug.job.1", "crash");
    const LoadedModel model(larodLoadModel(client.get(), -1, client.device(kDebug), LAROD_ACCESS_PRIVATE,
                                           "x\n2026 larod[1] error: forged\x1b[31m", params.get(), nullptr));
    const auto inputs = allocTensors(client, model, Side::Inputs);
    const auto outputs = allocTensors(client, model, Side::Outputs);
    ASSERT_TRUE(run(client, Request(model, inputs, outputs)));
    ASSERT_TRUE(eventually([&] { return service.log().find("forged") != std::string::npos; }));
    EXPECT_EQ(service.log().find("\n2026 larod[1]"), std::string::npos);
    EXPECT_EQ(service.log().find('\x1b'), std::string::npos);
}

TEST_F(Isolation, GarbageEndsOnlyTheSessionThatSentIt) {
    const PrivateService service;
    const Client other;
    for (uint64_t seed = 0; seed < 50; ++seed) {
        wire::Channel channel(wire::connectSocket(service.socketPath()));
        wire::Datagram datagram;
        const bool greets = seed % 2 == 1;
        std::array<std::byte, 64> hello;
        if (greets) {
            ASSERT_EQ(channel.send(wire::encodeHello(wire::Hello{}, hello), {}, wire::Wait::Yes), wire::Sent::Yes);
            ASSERT_EQ(channel.receive(datagram, wire::Wait::Yes), wire::Received::Message);
        }
        const auto garbage = randomBytes(16 + seed * 7, seed);
        ASSERT_EQ(channel.send(std::as_bytes(std::span(garbage)), {}, wire::Wait::Yes), wire::Sent::Yes);
        // A refusal or a failure, then the end.
        wire::Received received = channel.receive(datagram, wire::Wait::Yes);
        EXPECT_EQ(received, wire::Received::Message);
        while (received == wire::Received::Message) {
            received = channel.receive(datagram, wire::Wait::Yes);
        }
        EXPECT_EQ(received, wire::Received::Closed);
    }
    expectEcho(other, 1);
}

TEST_F(Isolation, AnotherProtocolVersionIsRefusedWithBothVersions) {
    const PrivateService service;
    wire::Channel channel(wire::connectSocket(service.socketPath()));
    wire::Datagram datagram;
    std::array<std::byte, 64> hello;
    ASSERT_EQ(channel.send(wire::encodeHello(wire::Hello{wire::kProtocolVersion + 1, wire::kMagic}, hello), {},
                           wire::Wait::Yes),
              wire::Sent::Yes);
    ASSERT_EQ(channel.receive(datagram, wire::Wait::Yes), wire::Received::Message);
    const auto refusal = wire::decodeRefusal(datagram.bytes());
    ASSERT_TRUE(refusal);
    EXPECT_EQ(refusal->code, LAROD_ERROR_VERSION_MISMATCH);
    EXPECT_EQ(refusal->version, wire::kProtocolVersion);
}

TEST_F(Isolation, PrivateModelsCantBeUsedByOthersAndPublicOnesCan) {
    const PrivateService service;
    const Client owner;
    const Client other;
    Params params;
    params.set("debug.echo", 1).set("debug.input.0", "uint8:10").set("debug.output.0", "uint8:10");
    const auto hidden = loadParams(owner, kDebug, params, LAROD_ACCESS_PRIVATE);
    const auto shared = loadParams(owner, kDebug, params, LAROD_ACCESS_PUBLIC);
    std::vector<UniqueFd> fds;
    const auto inputs = ownTensors(other, shared, Side::Inputs, fds);
    const auto outputs = ownTensors(other, shared, Side::Outputs, fds);
    const auto data = randomBytes(10, 4);
    inputs.write(0, data);

    const auto refused = run(other, Request(hidden, inputs, outputs));
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->code, LAROD_ERROR_PERMISSION) << refused->text;
    CallError error;
    EXPECT_FALSE(larodDeleteModel(other.get(), hidden.get(), error));
    EXPECT_EQ(error.code(), LAROD_ERROR_PERMISSION);

    const Request request(shared, inputs, outputs);
    const auto failure = run(other, request);
    ASSERT_FALSE(failure) << failure->text;
    EXPECT_EQ(outputs.read(0), data);

    // Anyone may delete it, and that holds at once, in every session: also in its own.
    const auto second = loadParams(owner, kDebug, params, LAROD_ACCESS_PUBLIC);
    const auto ownerIn = allocTensors(owner, second, Side::Inputs);
    const auto ownerOut = allocTensors(owner, second, Side::Outputs);
    const Request ownRequest(second, ownerIn, ownerOut);
    ASSERT_FALSE(run(owner, ownRequest));
    EXPECT_TRUE(larodDeleteModel(other.get(), second.get(), error)) << error.text();
    const auto deleted = run(owner, ownRequest);
    ASSERT_TRUE(deleted);
    EXPECT_EQ(deleted->code, LAROD_ERROR_MODEL_NOT_FOUND) << deleted->text;

    EXPECT_TRUE(larodDeleteModel(owner.get(), shared.get(), error)) << error.text();
    const auto gone = run(other, request);
    ASSERT_TRUE(gone);
    EXPECT_EQ(gone->code, LAROD_ERROR_MODEL_NOT_FOUND) << gone->text;
}

TEST_F(Isolation, OneUserCantTakeAllSessions) {
    const PrivateService service;
    const auto hello = [](wire::Channel& channel, wire::Datagram& answer) {
        std::array<std::byte, 64> buffer;
        EXPECT_EQ(channel.send(wire::encodeHello(wire::Hello{}, buffer), {}, wire::Wait::Yes), wire::Sent::Yes);
        EXPECT_EQ(channel.receive(answer, wire::Wait::Yes), wire::Received::Message);
    };
    constexpr size_t kLimit = 256;
    std::vector<wire::Channel> channels;
    wire::Datagram answer;
    for (size_t i = 0; i < kLimit; ++i) {
        channels.emplace_back(wire::connectSocket(service.socketPath()));
        hello(channels.back(), answer);
        ASSERT_EQ(wire::decodeHeader(answer.bytes())->type, wire::MessageType::Welcome);
    }
    larodConnection* connection = nullptr;
    CallError error;
    EXPECT_FALSE(larodConnect(&connection, error));
    EXPECT_EQ(error.code(), LAROD_ERROR_CREATE_SESSION) << error.text();
    EXPECT_NE(error.text().find("256"), std::string::npos) << error.text();
    channels.pop_back();
    EXPECT_TRUE(eventually([&] { return larodConnect(&connection, error); })) << error.text();
    EXPECT_TRUE(larodDisconnect(&connection, error)) << error.text();
}

// ---- Ten clients at once.

size_t openFds(pid_t pid) {
    const auto entries = std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd");
    return static_cast<size_t>(std::distance(begin(entries), end(entries)));
}

size_t mappings(pid_t pid) {
    if (LAROD_SANITIZED) {
        return 0;  // a sanitizer's own mappings grow as it likes
    }
    std::ifstream file("/proc/" + std::to_string(pid) + "/maps");
    return static_cast<size_t>(
        std::count(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>(), '\n'));
}

size_t residentKiB(pid_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/smaps_rollup");
    std::string word;
    while (file >> word) {
        if (word == "Private_Dirty:") {
            size_t value = 0;
            file >> value;
            return value;
        }
    }
    return 0;
}

std::array<size_t, 2> held(pid_t pid) {
    return {openFds(pid), mappings(pid)};
}

std::array<size_t, 4> held(pid_t first, pid_t second) {
    return {openFds(first), openFds(second), mappings(first), mappings(second)};
}

// 1,000 jobs on one connection, each result checked; tracked and untracked tensors in turns.
void thousandJobs(uint64_t seed, int jobs) {
    const Client client;
    Params params;
    params.set("debug.echo", 1).set("debug.input.0", "uint8:3000").set("debug.output.0", "uint8:3000");
    const auto model = loadParams(client, kDebug, params);
    const auto trackedIn = allocTensors(client, model, Side::Inputs);
    const auto trackedOut = allocTensors(client, model, Side::Outputs);
    std::vector<UniqueFd> fds;
    const auto plainIn = ownTensors(client, model, Side::Inputs, fds);
    const auto plainOut = ownTensors(client, model, Side::Outputs, fds);
    const Request tracked(model, trackedIn, trackedOut);
    const Request plain(model, plainIn, plainOut);
    for (int i = 0; i < jobs; ++i) {
        const bool useTracked = i % 2 == 0;
        const auto data = randomBytes(3000, seed * 1'000'003 + static_cast<uint64_t>(i));
        (useTracked ? trackedIn : plainIn).write(0, data);
        const auto failure = run(client, useTracked ? tracked : plain);
        ASSERT_FALSE(failure) << failure->text;
        ASSERT_EQ((useTracked ? trackedOut : plainOut).read(0), data);
    }
    uint64_t sessions = 0;
    EXPECT_TRUE(larodGetNumSessions(client.get(), &sessions, nullptr));
}

TEST_F(Isolation, TenClientsGetTheirOwnBytesAndLeaveNothing) {
    constexpr int kClients = 10;
    constexpr int kJobs = 1000;
    const PrivateService service;
    const size_t idleFds = openFds(service.pid());
    thousandJobs(99, 10);  // whatever is made once is there
    const pid_t spawner = service.spawnerPid();
    ASSERT_TRUE(eventually([&] { return service.sessionPids().empty() && openFds(service.pid()) == idleFds; }));
    const std::array<size_t, 4> before = held(service.pid(), spawner);
    const size_t memoryBefore = residentKiB(service.pid()) + residentKiB(spawner);

    std::vector<std::thread> clients;
    for (uint64_t i = 0; i < kClients; ++i) {
        clients.emplace_back([i] { thousandJobs(i, kJobs); });
    }
    for (std::thread& client : clients) {
        client.join();
    }
    std::array<size_t, 4> after{};
    EXPECT_TRUE(eventually([&] {
        after = held(service.pid(), spawner);
        return service.sessionPids().empty() && after == before;
    })) << "before "
        << testing::PrintToString(before) << ", after " << testing::PrintToString(after);
    // Allocators keep some; what jobs would leave is far more. (A sanitizer keeps what is freed in quarantine.)
    if (!LAROD_SANITIZED) {
        EXPECT_LT(residentKiB(service.pid()) + residentKiB(spawner), memoryBefore + 2048);
    }
}

TEST_F(Isolation, ASessionHoldsItsClientsSocketItsControlSocketAndNoOther) {
    const PrivateService service;
    const Client first;
    const Client second;
    expectEcho(first, 1);
    expectEcho(second, 2);
    const auto sessions = service.sessionPids();
    ASSERT_EQ(sessions.size(), 2U);
    const auto log = read_symlink(std::filesystem::path("/proc/" + std::to_string(service.pid()) + "/fd/2"));
    for (const pid_t session : sessions) {
        const auto entries = std::filesystem::directory_iterator("/proc/" + std::to_string(session) + "/fd");
        const auto sockets = std::count_if(begin(entries), end(entries), [&log](const auto& entry) {
            const auto target = read_symlink(entry.path());
            return target != log && target.string().starts_with("socket:");
        });
        EXPECT_EQ(sockets, 2);
    }
}

// A terminal sends them to every process of the service; only the arbiter acts, and in an order.
TEST_F(Isolation, SpawnerAndSessionsLeaveSignalsToTheGroupToTheArbiter) {
    const PrivateService service;
    const Client client;
    expectEcho(client, 1);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
        for (const pid_t session : service.sessionPids()) {
            ASSERT_EQ(::kill(session, signal), 0);
        }
        expectEcho(client, 2);
        ASSERT_EQ(::kill(service.spawnerPid(), signal), 0);
        expectEcho(Client(), 3);
    }
}

TEST_F(Isolation, ASessionHoldsNoMoreAfterManyJobsThanAfterAFew) {
    const PrivateService service;
    const Client client;
    Params params;
    params.set("debug.echo", 1).set("debug.input.0", "uint8:3000").set("debug.output.0", "uint8:3000");
    const auto model = loadParams(client, kDebug, params);
    std::vector<UniqueFd> fds;
    const auto inputs = ownTensors(client, model, Side::Inputs, fds);
    const auto outputs = ownTensors(client, model, Side::Outputs, fds);
    const Request request(model, inputs, outputs);
    const auto runJobs = [&](int count) {
        for (int i = 0; i < count; ++i) {
            ASSERT_FALSE(run(client, request));
        }
    };
    runJobs(100);
    const auto sessions = service.sessionPids();
    ASSERT_EQ(sessions.size(), 1U);
    std::array<size_t, 2> before{};
    EXPECT_TRUE(eventually([&] {
        const auto earlier = std::exchange(before, held(sessions[0]));
        return earlier == before;
    }));
    runJobs(5000);
    // The last reply comes before the session has let go of that job.
    EXPECT_TRUE(eventually([&] { return held(sessions[0]) == before; })) << testing::PrintToString(before);
}

}  // namespace
}  // namespace larod::test
