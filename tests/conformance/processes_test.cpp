// SPDX-License-Identifier: Apache-2.0
// Clients and the service as processes with little: several connections and threads, forks, few or odd descriptors.
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <random>
#include <thread>

#include "conformance/service.h"
#include "support/callbacks.h"

namespace larod::test {
namespace {

using Processes = Served;

// Whether a connection of its own runs an echo and gets its bytes; without GoogleTest, for children.
bool echoWorks(uint8_t value) {
    larodConnection* connection = nullptr;
    if (!larodConnect(&connection, nullptr)) {
        return false;
    }
    larodMap* params = larodCreateMap(nullptr);
    larodMapSetInt(params, "debug.echo", 1, nullptr);
    larodModel* model = larodLoadModel(connection, -1, larodGetDevice(connection, kDebug, 0, nullptr),
                                       LAROD_ACCESS_PRIVATE, "", params, nullptr);
    larodTensor** inputs = larodAllocModelInputs(connection, model, 0, nullptr, nullptr, nullptr);
    larodTensor** outputs = larodAllocModelOutputs(connection, model, 0, nullptr, nullptr, nullptr);
    bool works = inputs != nullptr && outputs != nullptr;
    larodJobRequest* request = works ? larodCreateJobRequest(model, inputs, 1, outputs, 1, nullptr, nullptr) : nullptr;
    uint8_t got = 0;
    works = works && ::pwrite(larodGetTensorFd(inputs[0], nullptr), &value, 1, 0) == 1 &&
            larodRunJob(connection, request, nullptr) &&
            ::pread(larodGetTensorFd(outputs[0], nullptr), &got, 1, 0) == 1 && got == value;
    larodDestroyJobRequest(&request);
    larodDestroyTensors(connection, &inputs, 1, nullptr);
    larodDestroyTensors(connection, &outputs, 1, nullptr);
    larodDestroyModel(&model);
    larodDestroyMap(&params);
    return larodDisconnect(&connection, nullptr) && works;
}

void limitDescriptors(rlim_t limit) {
    const struct rlimit low = {limit, limit};
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
}

// Runs `function` in a forked child; whether it gave true there.
template <typename Function>
bool inChild(Function function) {
    const pid_t child = ::fork();
    if (child == 0) {
        ::_exit(function() ? 0 : 1);
    }
    int status = -1;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST_F(Processes, ManyConnectionsOfOneProcessWorkFromManyThreads) {
    constexpr int kThreads = 6;
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
        threads.emplace_back([t] {
            const Client client;
            const Job job(client, echoModel(client, 1000));
            Callbacks callbacks;
            for (uint64_t i = 0; i < 50; ++i) {
                const auto data = randomBytes(1000, static_cast<uint64_t>(t) * 1000 + i);
                job.inputs.write(0, data);
                if (i % 2 == 0) {
                    expectRuns(client, job.request);
                } else {
                    EXPECT_TRUE(
                        larodRunJobAsync(client.get(), job.request.get(), Callbacks::done, &callbacks, nullptr));
                    callbacks.waitFor(i / 2 + 1);
                }
                EXPECT_EQ(job.outputs.read(0), data);
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
}

TEST_F(Processes, AForkInBetweenHurtsNeitherParentNorChild) {
    const Job job(client_, echoModel(client_, 100));
    Callbacks callbacks;
    ASSERT_TRUE(larodRunJobAsync(client_.get(), job.request.get(), Callbacks::done, &callbacks, nullptr));
    callbacks.waitFor(1);  // the library has its thread, which the child will not have
    EXPECT_TRUE(inChild([] { return echoWorks(77); }));
    const auto data = randomBytes(100, 3);
    job.inputs.write(0, data);
    expectRuns(client_, job.request);
    EXPECT_EQ(job.outputs.read(0), data);
    ASSERT_TRUE(larodRunJobAsync(client_.get(), job.request.get(), Callbacks::done, &callbacks, nullptr));
    callbacks.waitFor(2);
}

TEST_F(Processes, TheLibrarysDescriptorsDoNotReachAnExecutedProgram) {
    constexpr int kNumbers = 256;
    const auto inheritable = [] {
        std::vector<int> numbers;
        for (int number = 0; number < kNumbers; ++number) {
            const int flags = ::fcntl(number, F_GETFD);
            if (flags >= 0 && (flags & FD_CLOEXEC) == 0) {
                numbers.push_back(number);
            }
        }
        return numbers;
    };
    const auto before = inheritable();  // of whoever started this program
    const Client client;
    const Job job(client, echoModel(client, 100));
    Callbacks callbacks;
    ASSERT_TRUE(larodRunJobAsync(client.get(), job.request.get(), Callbacks::done, &callbacks, nullptr));
    callbacks.waitFor(1);
    EXPECT_EQ(inheritable(), before);
}

TEST_F(Processes, AClientWithoutStandardDescriptorsWorks) {
    EXPECT_TRUE(inChild([] {
        for (const int fd : {0, 1, 2}) {
            ::close(fd);
        }
        return echoWorks(5) && echoWorks(6);
    }));
}

TEST(ProcessesOfTheService, AServiceWithoutStandardDescriptorsWorks) {
    const TempDir directory;
    const std::string socket = directory.path() + "/larod.sock";
    const pid_t service = ::fork();
    if (service == 0) {
        for (const int fd : {0, 1, 2}) {
            ::close(fd);
        }
        ::execl(LAROD_SERVICE_PATH, "larod", "--socket", socket.c_str(), LAROD_SANITIZED ? "--sandbox=off" : nullptr,
                nullptr);
        ::_exit(127);
    }
    ::setenv("LAROD_SOCKET", socket.c_str(), 1);
    EXPECT_TRUE(eventually([] { return echoWorks(9); }));
    ::kill(service, SIGTERM);
    int status = -1;
    ASSERT_EQ(::waitpid(service, &status, 0), service);
    EXPECT_EQ(status, 0);
}

TEST_F(Processes, AClientWithFewDescriptorsGetsErrorsAndGoesOn) {
    EXPECT_TRUE(inChild([] {
        const Client client;
        const Job job(client, echoModel(client, 10));
        const UniqueFd next(::open("/dev/null", O_RDONLY | O_CLOEXEC));
        limitDescriptors(static_cast<rlim_t>(next.get()) + 3);
        std::vector<larodTensor**> allocated;
        bool failedWell = false;
        for (int i = 0; i < 10; ++i) {
            larodError* error = nullptr;
            larodTensor** tensors = larodAllocModelInputs(client.get(), job.model.get(), 0, nullptr, nullptr, &error);
            if (tensors == nullptr) {
                failedWell = error != nullptr && error->msg != nullptr;
                larodClearError(&error);
                break;
            }
            allocated.push_back(tensors);
        }
        // No room for another connection, either; and with room again all is well.
        larodConnection* another = nullptr;
        larodError* error = nullptr;
        const bool refused = !larodConnect(&another, &error) && another == nullptr && error != nullptr;
        larodClearError(&error);
        for (larodTensor**& tensors : allocated) {
            larodDestroyTensors(client.get(), &tensors, 1, nullptr);
        }
        const bool usable = larodConnect(&another, nullptr) && larodDisconnect(&another, nullptr);
        return failedWell && refused && usable && !testing::Test::HasFailure();
    }));
}

TEST(ProcessesOfTheService, AServiceWithFewDescriptorsRefusesSessionsAndServesTheOthers) {
    // In a child, since a limit can't be raised again. The service needs several descriptors a session and meets it
    // first.
    EXPECT_TRUE(inChild([] {
        const UniqueFd next(::open("/dev/null", O_RDONLY | O_CLOEXEC));
        limitDescriptors(static_cast<rlim_t>(next.get()) + 40);
        const PrivateService service;
        const Client first;
        const Job job(first, echoModel(first, 10));
        std::vector<larodConnection*> connections;
        CallError error;
        larodConnection* connection = nullptr;
        while (larodConnect(&connection, error)) {
            connections.push_back(connection);
        }
        EXPECT_EQ(error.code(), LAROD_ERROR_CREATE_SESSION) << error.text();
        EXPECT_LT(connections.size(), 20U);
        expectRuns(first, job.request);
        for (larodConnection*& each : connections) {
            EXPECT_TRUE(larodDisconnect(&each, error)) << error.text();
        }
        EXPECT_TRUE(eventually([] { return echoWorks(3); }));
        expectRuns(first, job.request);
        return !testing::Test::HasFailure();
    }));
}

// Any function from any thread, on one connection; the thread sanitizer looks on.
class Stress {
  public:
    explicit Stress(const Client& client) : client_(client) {}

    void work(uint64_t seed) {
        std::mt19937_64 random(seed);
        const Job job(client_, echoModel(client_, 64));
        const Job other(client_, converter(client_));
        Callbacks callbacks;
        size_t started = 0;
        for (int i = 0; i < kSteps; ++i) {
            switch (random() % 10) {
                case 0:
                    loadAndDelete();
                    break;
                case 1:
                    EXPECT_FALSE(modelIds(client_).empty());
                    break;
                case 2: {
                    uint64_t sessions = 0;
                    EXPECT_TRUE(larodGetNumSessions(client_.get(), &sessions, nullptr));
                    break;
                }
                case 3:
                    EXPECT_EQ(allocTensors(client_, job.model, Side::Inputs).size(), 1U);
                    break;
                case 4: {
                    std::vector<UniqueFd> fds;
                    const auto own = ownTensors(client_, job.model, Side::Inputs, fds);
                    CallError error;
                    EXPECT_TRUE(larodTrackTensor(client_.get(), own[0], error)) << error.text();
                    const Request request(job.model, own, job.outputs);
                    expectRuns(client_, request);
                    break;
                }
                case 5: {
                    size_t count = 0;
                    EXPECT_NE(larodListDevices(client_.get(), &count, nullptr), nullptr);
                    EXPECT_NE(client_.device(kCpuTflite), nullptr);
                    break;
                }
                case 6:
                    EXPECT_TRUE(
                        larodRunJobAsync(client_.get(), other.request.get(), Callbacks::done, &callbacks, nullptr));
                    ++started;
                    break;
                case 7:
                    loadAsync(callbacks);
                    ++started;
                    break;
                case 8:
                    expectRuns(client_, other.request);
                    break;
                default:
                    runChecked(job, random());
            }
        }
        const auto codes = callbacks.waitFor(started);
        EXPECT_EQ(codes, std::vector<int>(started, LAROD_ERROR_NONE));
    }

  private:
    static constexpr int kSteps = 150;

    void loadAndDelete() {
        const auto model = echoModel(client_, 8, LAROD_ACCESS_PUBLIC);
        CallError error;
        const LoadedModel again(larodGetModel(client_.get(), idOf(model), error));
        EXPECT_NE(again.get(), nullptr) << error.text();
        EXPECT_TRUE(larodDeleteModel(client_.get(), model.get(), error)) << error.text();
    }

    void loadAsync(Callbacks& callbacks) {
        const Params params;
        EXPECT_TRUE(larodLoadModelAsync(
            client_.get(), -1, client_.device(kDebug), LAROD_ACCESS_PRIVATE, "", params.get(),
            [](larodModel* model, void* userData, larodError* error) {
                larodDestroyModel(&model);
                Callbacks::done(userData, error);
            },
            &callbacks, nullptr));
    }

    void runChecked(const Job& job, uint64_t seed) {
        const auto data = randomBytes(64, seed);
        job.inputs.write(0, data);
        expectRuns(client_, job.request);
        EXPECT_EQ(job.outputs.read(0), data);
    }

    const Client& client_;
};

TEST_F(Processes, AnyFunctionWorksFromAnyThreadOfOneConnection) {
    constexpr uint64_t kThreads = 4;
    Stress stress(client_);
    std::vector<std::thread> threads;
    for (uint64_t i = 0; i < kThreads; ++i) {
        threads.emplace_back([&stress, i] { stress.work(i); });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
}

}  // namespace
}  // namespace larod::test
