// SPDX-License-Identifier: Apache-2.0
// What debug-device's models do with their jobs.
#include "device/debug/debug_device.h"

#include <gtest/gtest.h>
#include <sys/time.h>

#include <algorithm>
#include <csignal>
#include <ctime>
#include <string_view>

#include "base/error.h"

namespace larod::device {
namespace {

ParamMap params(std::initializer_list<std::pair<const char*, ParamValue>> entries) {
    ParamMap map;
    for (const auto& [key, value] : entries) {
        map.set(key, value);
    }
    return map;
}

ParamValue text(const char* value) {
    return std::string(value);
}

ParamValue number(int64_t value) {
    return value;
}

// A loaded model with memory for its tensors.
class Job {
  public:
    Job(Device& device, const ParamMap& map) : model_(device.load(ModelSource{std::nullopt, &map}, 1)) {
        prepare(Direction::Input, model_->inputs(), inputs);
        prepare(Direction::Output, model_->outputs(), outputs);
    }
    explicit Job(const ParamMap& map) : Job(*makeDebugDevice(), map) {}

    void run() {
        const ParamMap none;
        model_->checkParams(none);
        model_->run({inputBindings_, outputBindings_, none});
    }

    // The code with which the next job fails; 0 where it succeeds.
    int runCode() {
        try {
            run();
        } catch (const Error& error) {
            return error.code();
        }
        return 0;
    }

    std::vector<std::vector<std::byte>> inputs;
    std::vector<std::vector<std::byte>> outputs;

  private:
    void prepare(Direction direction, const std::vector<TensorSpec>& specs,
                 std::vector<std::vector<std::byte>>& buffers) {
        for (size_t i = 0; i < specs.size(); ++i) {
            buffers.emplace_back(specs[i].byteSize(), std::byte{0xee});
        }
        for (size_t i = 0; i < specs.size(); ++i) {
            bindings_.push_back(model_->bind(direction, i, buffers[i]));
            (direction == Direction::Input ? inputBindings_ : outputBindings_).push_back(bindings_.back().get());
        }
    }

    std::unique_ptr<LoadedModel> model_;
    std::vector<std::unique_ptr<Binding>> bindings_;
    std::vector<Binding*> inputBindings_;
    std::vector<Binding*> outputBindings_;
};

std::vector<std::byte> bytes(std::string_view content) {
    std::vector<std::byte> result(content.size());
    std::transform(content.begin(), content.end(), result.begin(), [](char c) { return std::byte(c); });
    return result;
}

int loadCode(Device& device, const ParamMap* map) {
    try {
        (void)device.load(ModelSource{std::nullopt, map}, 1);
    } catch (const Error& error) {
        return error.code();
    }
    return 0;
}

// The signals' default actions, which a sanitizer may have replaced.
void restoreSignals() {
    (void)std::signal(SIGSEGV, SIG_DFL);
    (void)std::signal(SIGABRT, SIG_DFL);
}

// Kills the process with SIGPROF if it uses the CPU for 100 ms, and with SIGALRM after 200 ms.
void startTimers() {
    const itimerval cpuTime{{0, 0}, {0, 100'000}};
    const itimerval realTime{{0, 0}, {0, 200'000}};
    setitimer(ITIMER_PROF, &cpuTime, nullptr);
    setitimer(ITIMER_REAL, &realTime, nullptr);
}

TEST(DebugDevice, SaysWhatItIs) {
    const auto device = makeDebugDevice();
    const uint32_t access = LAROD_FD_PROP_READWRITE | LAROD_FD_PROP_MAP;
    EXPECT_EQ(device->name(), "debug-device");
    EXPECT_EQ(device->instance(), 0U);
    EXPECT_FALSE(device->takesFile());
    EXPECT_FALSE(device->usesThreads());
    EXPECT_EQ(device->capabilities().runInput, access);
    EXPECT_EQ(device->capabilities().runOutput, access);
    EXPECT_EQ(device->capabilities().allocInput, access);
    EXPECT_EQ(device->capabilities().allocOutput, access);
}

TEST(DebugDevice, LoadNeedsAMap) {
    EXPECT_EQ(loadCode(*makeDebugDevice(), nullptr), LAROD_ERROR_LOAD_MODEL);
}

TEST(DebugDevice, LoadIgnoresAFile) {
    const auto device = makeDebugDevice();
    const ParamMap map;
    const std::vector<std::byte> file(16);
    EXPECT_NE(device->load(ModelSource{file, &map}, 1), nullptr);
}

TEST(DebugDevice, LeavesOutputsAloneWithoutEcho) {
    Job job(params({{"debug.input.0", text("uint8:4")}, {"debug.output.0", text("uint8:4")}}));
    job.run();
    EXPECT_EQ(job.outputs[0], std::vector<std::byte>(4, std::byte{0xee}));
}

TEST(DebugDevice, DoesNotReadInputsWithoutEcho) {
    const auto device = makeDebugDevice();
    const ParamMap map;
    const auto model = device->load(ModelSource{std::nullopt, &map}, 1);
    // Memory that can't be read: touching it would end the test.
    auto* const nowhere = reinterpret_cast<std::byte*>(64);
    const auto input = model->bind(Direction::Input, 0, {nowhere, 1});
    const auto output = model->bind(Direction::Output, 0, {nowhere, 1});
    Binding* const in = input.get();
    Binding* const out = output.get();
    model->run({{&in, 1}, {&out, 1}, map});
}

TEST(DebugDevice, EchoesEachInputToItsOutput) {
    Job job(params({{"debug.echo", number(1)},
                    {"debug.input.0", text("uint8:4")},
                    {"debug.input.1", text("int16:2")},
                    {"debug.output.0", text("uint8:4")},
                    {"debug.output.1", text("int16:2")}}));
    job.inputs[0].assign({std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}});
    std::copy_n(bytes("abcd").begin(), 4, job.inputs[1].begin());
    std::copy_n(bytes("1234").begin(), 4, job.inputs[0].begin());
    job.run();
    EXPECT_EQ(job.outputs[0], bytes("1234"));
    EXPECT_EQ(job.outputs[1], bytes("abcd"));
}

TEST(DebugDevice, EchoRepeatsAndCutsToTheOutputsSize) {
    Job job(params({{"debug.echo", number(1)},
                    {"debug.input.0", text("uint8:3")},
                    {"debug.output.0", text("uint8:10")},
                    {"debug.output.1", text("uint8:2")}}));
    std::copy_n(bytes("abc").begin(), 3, job.inputs[0].begin());
    job.run();
    EXPECT_EQ(job.outputs[0], bytes("abcabcabca"));
    EXPECT_EQ(job.outputs[1], bytes("ab"));
}

TEST(DebugDevice, RunsWithoutTensors) {
    Job job(params({{"debug.inputs", number(0)}, {"debug.outputs", number(0)}}));
    EXPECT_EQ(job.runCode(), 0);
}

TEST(DebugDevice, JobTakesItsDelay) {
    Job job(params({{"debug.delay", number(3'000)}}));
    timespec start{};
    timespec end{};
    clock_gettime(CLOCK_MONOTONIC, &start);
    job.run();
    clock_gettime(CLOCK_MONOTONIC, &end);
    EXPECT_GE((end.tv_sec - start.tv_sec) * 1'000'000'000 + end.tv_nsec - start.tv_nsec, 3'000'000);
}

TEST(DebugDevice, NamedJobsFailAndTheOthersDoNot) {
    Job job(
        params({{"debug.job.2", text("fail")}, {"debug.job.3", text("fail:12")}, {"debug.job.5", text("fail:-5")}}));
    const int expected[] = {0, LAROD_ERROR_JOB, 12, 0, LAROD_ERROR_PERMISSION, 0, 0};
    for (const int code : expected) {
        EXPECT_EQ(job.runCode(), code);
    }
}

TEST(DebugDevice, FailedJobSaysWhichAndWhyAndLeavesOutputsAlone) {
    Job job(params({{"debug.job.1", text("fail:-5")}, {"debug.echo", number(1)}}));
    job.inputs[0][0] = std::byte{1};
    try {
        job.run();
        FAIL() << "the job succeeded";
    } catch (const Error& error) {
        EXPECT_EQ(error.text(), "debug-device: job 1 fails with error code -5, as load parameter 'debug.job.1' asks");
    }
    EXPECT_EQ(job.outputs[0][0], std::byte{0xee});
    job.run();
    EXPECT_EQ(job.outputs[0][0], std::byte{1});
}

TEST(DebugDevice, JobsAreCountedPerModel) {
    const auto device = makeDebugDevice();
    const ParamMap map = params({{"debug.job.2", text("fail")}});
    Job first(*device, map);
    Job second(*device, map);
    EXPECT_EQ(first.runCode(), 0);
    EXPECT_EQ(second.runCode(), 0);
    EXPECT_EQ(first.runCode(), LAROD_ERROR_JOB);
    EXPECT_EQ(second.runCode(), LAROD_ERROR_JOB);
}

TEST(DebugDevice, PowerIsRefusedToTheFirstJobs) {
    Job job(params({{"debug.power-refusals", number(3)}, {"debug.job.2", text("fail")}}));
    const int expected[] = {LAROD_ERROR_POWER_NOT_AVAILABLE, LAROD_ERROR_JOB, LAROD_ERROR_POWER_NOT_AVAILABLE, 0, 0};
    for (const int code : expected) {
        EXPECT_EQ(job.runCode(), code);
    }
}

TEST(DebugDevice, PowerIsRefusedToTheFirstLoads) {
    const auto device = makeDebugDevice();
    const ParamMap refused = params({{"debug.load.power-refusals", number(2)}});
    const ParamMap plain;
    EXPECT_EQ(loadCode(*device, &refused), LAROD_ERROR_POWER_NOT_AVAILABLE);
    EXPECT_EQ(loadCode(*device, &plain), 0);
    EXPECT_EQ(loadCode(*device, &refused), LAROD_ERROR_POWER_NOT_AVAILABLE);
    EXPECT_EQ(loadCode(*device, &refused), 0);
}

TEST(DebugDevice, LoadFailsWhenTold) {
    const auto device = makeDebugDevice();
    const ParamMap plainFailure = params({{"debug.load", text("fail")}});
    const ParamMap errnoFailure = params({{"debug.load", text("fail:28")}});
    EXPECT_EQ(loadCode(*device, &plainFailure), LAROD_ERROR_LOAD_MODEL);
    EXPECT_EQ(loadCode(*device, &errnoFailure), 28);
}

TEST(DebugDeviceDeathTest, JobCrashes) {
    Job job(params({{"debug.job.2", text("crash")}}));
    job.run();
    EXPECT_EXIT(
        {
            restoreSignals();
            job.run();
        },
        testing::KilledBySignal(SIGSEGV), "");
}

TEST(DebugDeviceDeathTest, JobAborts) {
    Job job(params({{"debug.job.1", text("abort")}}));
    EXPECT_EXIT(
        {
            restoreSignals();
            job.run();
        },
        testing::KilledBySignal(SIGABRT), "");
}

TEST(DebugDeviceDeathTest, JobHangsWithoutUsingTheCpu) {
    Job job(params({{"debug.job.1", text("hang")}}));
    EXPECT_EXIT(
        {
            startTimers();
            job.run();
        },
        testing::KilledBySignal(SIGALRM), "");
}

TEST(DebugDeviceDeathTest, LoadCrashes) {
    const auto device = makeDebugDevice();
    const ParamMap map = params({{"debug.load", text("crash")}});
    EXPECT_EXIT(
        {
            restoreSignals();
            loadCode(*device, &map);
        },
        testing::KilledBySignal(SIGSEGV), "");
}

TEST(DebugDeviceDeathTest, LoadHangsWithoutUsingTheCpu) {
    const auto device = makeDebugDevice();
    const ParamMap map = params({{"debug.load", text("hang")}});
    EXPECT_EXIT(
        {
            startTimers();
            loadCode(*device, &map);
        },
        testing::KilledBySignal(SIGALRM), "");
}

}  // namespace
}  // namespace larod::device
