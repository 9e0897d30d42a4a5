// SPDX-License-Identifier: Apache-2.0
// Jobs through the real library and the real service, on debug-device.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>

#include "conformance/service.h"
#include "support/callbacks.h"
#include "support/client.h"
#include "support/private_service.h"

namespace larod::test {
namespace {

using Jobs = Served;

TEST_F(Jobs, EchoThroughAllocatedTensors) {
    Params params;
    params.set("debug.echo", 1).set("debug.input.0", "uint8:1000").set("debug.output.0", "uint8:1000");
    const auto model = loadParams(client_, kDebug, params);
    const auto inputs = allocTensors(client_, model, Side::Inputs);
    const auto outputs = allocTensors(client_, model, Side::Outputs);
    const auto data = randomBytes(1000, 1);
    inputs.write(0, data);
    const auto failure = run(client_, Request(model, inputs, outputs));
    ASSERT_FALSE(failure) << failure->text;
    EXPECT_EQ(outputs.read(0), data);
}

struct Reach {
    uint32_t props;
    bool tracked;
    int64_t offset;
};

class JobsByReach : public Jobs, public testing::WithParamInterface<Reach> {};

TEST_P(JobsByReach, GiveTheSameResultAndLeaveTheRestAlone) {
    const auto [props, tracked, offset] = GetParam();
    constexpr size_t kBytes = 5000;
    constexpr size_t kBehind = 100;
    Params params;
    params.set("debug.echo", 1).set("debug.input.0", "uint8:5000").set("debug.output.0", "uint8:5000");
    const auto model = loadParams(client_, kDebug, params);
    std::vector<UniqueFd> fds;
    const auto inputs = ownTensors(client_, model, Side::Inputs, fds, props);
    const auto outputs = ownTensors(client_, model, Side::Outputs, fds, props);
    const size_t length = static_cast<size_t>(offset) + kBytes + kBehind;
    const std::vector<uint8_t> background(length, 0x5a);
    for (size_t i = 0; i < 2; ++i) {
        larodTensor* tensor = i == 0 ? inputs[0] : outputs[0];
        ASSERT_EQ(::pwrite(fds[i].get(), background.data(), length, 0), static_cast<ssize_t>(length));
        ASSERT_TRUE(larodSetTensorFdOffset(tensor, offset, nullptr));
        CallError error;
        ASSERT_TRUE(!tracked || larodTrackTensor(client_.get(), tensor, error)) << error.text();
    }
    const Request request(model, inputs, outputs);
    for (uint64_t round = 0; round < 2; ++round) {
        const auto data = randomBytes(kBytes, round);
        inputs.write(0, data);
        const auto failure = run(client_, request);
        ASSERT_FALSE(failure) << failure->text;
        auto expected = background;
        std::copy(data.begin(), data.end(), expected.begin() + offset);
        std::vector<uint8_t> file(length);
        ASSERT_EQ(::pread(fds[1].get(), file.data(), length, 0), static_cast<ssize_t>(length));
        EXPECT_EQ(file, expected);
    }
}

std::vector<Reach> allReaches() {
    std::vector<Reach> reaches;
    for (const uint32_t props : {LAROD_FD_PROP_READWRITE, LAROD_FD_PROP_MAP, LAROD_FD_TYPE_DISK, LAROD_FD_TYPE_DMA}) {
        for (const bool tracked : {false, true}) {
            for (const int64_t offset : {0, 1, 64, 4095, 4096, 4097}) {
                reaches.push_back({props, tracked, offset});
            }
        }
    }
    return reaches;
}

INSTANTIATE_TEST_SUITE_P(PropsTrackingOffsets, JobsByReach, testing::ValuesIn(allReaches()), [](const auto& testInfo) {
    return "Props" + std::to_string(testInfo.param.props) + (testInfo.param.tracked ? "Tracked" : "Untracked") + "At" +
           std::to_string(testInfo.param.offset);
});

TEST_F(Jobs, AnEmptyFileGrowsToTheOutput) {
    Params params;
    params.set("debug.echo", 1).set("debug.input.0", "uint8:300").set("debug.output.0", "uint8:300");
    const auto model = loadParams(client_, kDebug, params);
    std::vector<UniqueFd> fds;
    const auto inputs = ownTensors(client_, model, Side::Inputs, fds);
    const auto outputs = ownTensors(client_, model, Side::Outputs, fds);
    ASSERT_EQ(::ftruncate(fds[1].get(), 0), 0);
    const auto data = randomBytes(300, 2);
    inputs.write(0, data);
    const auto failure = run(client_, Request(model, inputs, outputs));
    ASSERT_FALSE(failure) << failure->text;
    EXPECT_EQ(outputs.read(0), data);
}

TEST_F(Jobs, AFileThatIsCutOffAndRestoredFailsOnlyMeanwhile) {
    Params params;
    params.set("debug.echo", 1).set("debug.input.0", "uint8:100000").set("debug.output.0", "uint8:100000");
    const auto model = loadParams(client_, kDebug, params);
    std::vector<UniqueFd> fds;
    const auto inputs = ownTensors(client_, model, Side::Inputs, fds, LAROD_FD_PROP_MAP);
    const auto outputs = ownTensors(client_, model, Side::Outputs, fds, LAROD_FD_PROP_MAP);
    ASSERT_TRUE(larodTrackTensor(client_.get(), inputs[0], nullptr));
    const Request request(model, inputs, outputs);
    ASSERT_FALSE(run(client_, request));
    ASSERT_EQ(::ftruncate(fds[0].get(), 10), 0);
    for (int i = 0; i < 2; ++i) {
        const auto failure = run(client_, request);
        ASSERT_TRUE(failure);
        EXPECT_EQ(failure->code, LAROD_ERROR_FD) << failure->text;
    }
    ASSERT_EQ(::ftruncate(fds[0].get(), 100000), 0);
    const auto data = randomBytes(100000, 3);
    inputs.write(0, data);
    const auto failure = run(client_, request);
    ASSERT_FALSE(failure) << failure->text;
    EXPECT_EQ(outputs.read(0), data);
}

TEST_F(Jobs, ManyAsynchronousJobsEachGetOneCallback) {
    Params params;
    params.set("debug.job.50", "fail");
    const auto model = loadParams(client_, kDebug, params);
    const auto inputs = allocTensors(client_, model, Side::Inputs);
    const auto outputs = allocTensors(client_, model, Side::Outputs);
    const Request request(model, inputs, outputs);
    Callbacks callbacks;
    constexpr size_t kJobs = 2000;
    for (size_t i = 0; i < kJobs; ++i) {
        CallError error;
        ASSERT_TRUE(larodRunJobAsync(client_.get(), request.get(), Callbacks::done, &callbacks, error)) << error.text();
    }
    const auto codes = callbacks.waitFor(kJobs);
    EXPECT_EQ(std::count(codes.begin(), codes.end(), 0), static_cast<ptrdiff_t>(kJobs - 1));
    EXPECT_EQ(std::count(codes.begin(), codes.end(), LAROD_ERROR_JOB), 1);
}

// All are sent before the first can start, since another session has the device.
TEST_F(Jobs, TheHighestPriorityIsNext) {
    Client blocker;
    const WatchedJob hanging(blocker, actingModel(blocker, "hang"));
    Callbacks lost;
    ASSERT_TRUE(larodRunJobAsync(blocker.get(), hanging.request.get(), Callbacks::done, &lost, nullptr));
    ASSERT_TRUE(hanging.waitForStart());
    const Job job(client_, echoModel(client_, 1));
    CallbackOrder order;
    std::deque<CallbackOrder::Tag> tags;
    for (const int priority : {50, 10, 90, 50, 100, 0}) {
        CallbackOrder::Tag& tag = tags.emplace_back(CallbackOrder::Tag{&order, priority});
        ASSERT_TRUE(larodSetJobRequestPriority(job.request.get(), static_cast<uint8_t>(priority), nullptr));
        ASSERT_TRUE(larodRunJobAsync(client_.get(), job.request.get(), CallbackOrder::Tag::done, &tag, nullptr));
    }
    blocker.disconnect();
    EXPECT_EQ(order.waitFor(tags.size()), (std::vector<int>{100, 90, 50, 50, 10, 0}));
}

TEST_F(Jobs, SynchronousJobsRunWhileAnAsynchronousOneIsPendingElsewhere) {
    Params slow;
    slow.set("debug.job.1", "hang");
    const auto hanging = loadParams(client_, kDebug, slow);
    Params image;
    image.set("image.input.format", "nv12").set("image.input.size", 8, 8);
    image.set("image.output.format", "rgb-interleaved").set("image.output.size", 8, 8);
    const auto converter = loadParams(client_, "cpu-proc", image);
    const auto slowIn = allocTensors(client_, hanging, Side::Inputs);
    const auto slowOut = allocTensors(client_, hanging, Side::Outputs);
    const auto imageIn = allocTensors(client_, converter, Side::Inputs);
    const auto imageOut = allocTensors(client_, converter, Side::Outputs);
    Callbacks callbacks;
    const Request slowRequest(hanging, slowIn, slowOut);
    ASSERT_TRUE(larodRunJobAsync(client_.get(), slowRequest.get(), Callbacks::done, &callbacks, nullptr));
    const auto failure = run(client_, Request(converter, imageIn, imageOut));
    EXPECT_FALSE(failure) << failure->text;
    client_.disconnect();
    EXPECT_EQ(callbacks.waitFor(1), std::vector<int>{LAROD_ERROR_CONNECTION});
}

TEST_F(Jobs, AllErrorCodesOfAJobReachTheClient) {
    Params params;
    params.set("debug.job.1", "fail").set("debug.job.2", "fail:-3").set("debug.job.3", "fail:5");
    params.set("debug.power-refusals", 4);
    const auto model = loadParams(client_, kDebug, params);
    const auto inputs = allocTensors(client_, model, Side::Inputs);
    const auto outputs = allocTensors(client_, model, Side::Outputs);
    const Request request(model, inputs, outputs);
    for (const int code : {int{LAROD_ERROR_JOB}, int{LAROD_ERROR_FD}, 5, int{LAROD_ERROR_POWER_NOT_AVAILABLE}}) {
        const auto failure = run(client_, request);
        ASSERT_TRUE(failure);
        EXPECT_EQ(failure->code, code) << failure->text;
        EXPECT_FALSE(failure->text.empty());
    }
    EXPECT_FALSE(run(client_, request));
}

// ---- Bad input: an error that says what is wrong, and the service goes on.

class BadJobs : public Jobs {
  protected:
    BadJobs() : model_(load(client_)) {}
    ~BadJobs() override {
        EXPECT_FALSE(run(client_, Request(model_, allocTensors(client_, model_, Side::Inputs),
                                          allocTensors(client_, model_, Side::Outputs))));
    }

    static LoadedModel load(const Client& client) {
        Params params;
        params.set("debug.echo", 1).set("debug.input.0", "uint8:1x4x4x3").set("debug.output.0", "uint8:1x4x4x3");
        return loadParams(client, kDebug, params);
    }

    // Runs a job whose one input was changed; it must fail with the code and name the tensor.
    template <typename Change>
    void expectFailure(int code, const std::string& words, Change change) {
        std::vector<UniqueFd> fds;
        const auto inputs = ownTensors(client_, model_, Side::Inputs, fds);
        const auto outputs = ownTensors(client_, model_, Side::Outputs, fds);
        change(inputs[0], fds[0]);
        CallError error;
        larodJobRequest* request =
            larodCreateJobRequest(model_.get(), inputs.get(), 1, outputs.get(), 1, nullptr, error);
        ASSERT_NE(request, nullptr) << error.text();
        EXPECT_FALSE(larodRunJob(client_.get(), request, error));
        larodDestroyJobRequest(&request);
        EXPECT_EQ(error.code(), code) << error.text();
        EXPECT_NE(error.text().find(words), std::string::npos) << error.text();
    }

    LoadedModel model_;
};

TEST_F(BadJobs, WrongMetadataIsNamed) {
    expectFailure(LAROD_ERROR_TENSOR_MISMATCH, "float32", [](larodTensor* tensor, UniqueFd&) {
        larodSetTensorDataType(tensor, LAROD_TENSOR_DATA_TYPE_FLOAT32, nullptr);
    });
    expectFailure(LAROD_ERROR_TENSOR_MISMATCH, "input tensor 0", [](larodTensor* tensor, UniqueFd&) {
        larodTensorDims dims = {{1, 4, 5, 3}, 4};
        larodSetTensorDims(tensor, &dims, nullptr);
    });
    expectFailure(LAROD_ERROR_TENSOR_MISMATCH, "pitches", [](larodTensor* tensor, UniqueFd&) {
        larodTensorPitches pitches = {{64, 64, 16, 3}, 4};
        larodSetTensorPitches(tensor, &pitches, nullptr);
    });
    expectFailure(LAROD_ERROR_TENSOR_MISMATCH, "layout", [](larodTensor* tensor, UniqueFd&) {
        larodSetTensorLayout(tensor, LAROD_TENSOR_LAYOUT_NCHW, nullptr);
    });
}

TEST_F(BadJobs, AWrongNumberOfTensorsIsNamed) {
    const auto inputs = allocTensors(client_, model_, Side::Inputs);
    const auto outputs = allocTensors(client_, model_, Side::Outputs);
    larodTensor* twice[] = {inputs[0], inputs[0]};
    CallError error;
    larodJobRequest* request = larodCreateJobRequest(model_.get(), twice, 2, outputs.get(), 1, nullptr, error);
    ASSERT_NE(request, nullptr) << error.text();
    EXPECT_FALSE(larodRunJob(client_.get(), request, error));
    EXPECT_EQ(error.code(), LAROD_ERROR_TENSOR_MISMATCH);
    EXPECT_NE(error.text().find("2"), std::string::npos) << error.text();
    larodDestroyJobRequest(&request);
}

TEST_F(BadJobs, DescriptorsThatCantHoldATensorAreRefusedWithoutBlocking) {
    int pipe[2] = {-1, -1};
    ASSERT_EQ(::pipe2(pipe, O_CLOEXEC), 0);
    const UniqueFd readEnd(pipe[0]);
    const UniqueFd writeEnd(pipe[1]);
    const UniqueFd directory(::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    for (const int fd : {readEnd.get(), writeEnd.get(), directory.get(), socket.get(), null.get()}) {
        expectFailure(LAROD_ERROR_FD, "input tensor 0",
                      [fd](larodTensor* tensor, UniqueFd&) { larodSetTensorFd(tensor, fd, nullptr); });
    }
    expectFailure(LAROD_ERROR_FD, "input tensor 0",
                  [](larodTensor* tensor, UniqueFd&) { larodSetTensorFd(tensor, -1, nullptr); });
    expectFailure(LAROD_ERROR_FD, "input tensor 0", [](larodTensor*, UniqueFd& fd) { fd.reset(); });
}

TEST_F(BadJobs, ShortFilesAndSmallFdSizesAreNamed) {
    expectFailure(LAROD_ERROR_FD, "could only read 10 out of 48 bytes",
                  [](larodTensor*, UniqueFd& fd) { ASSERT_EQ(::ftruncate(fd.get(), 10), 0); });
    expectFailure(LAROD_ERROR_FD, "fd size is 47",
                  [](larodTensor* tensor, UniqueFd&) { larodSetTensorFdSize(tensor, 47, nullptr); });
    expectFailure(LAROD_ERROR_FD, "DMABUF",
                  [](larodTensor* tensor, UniqueFd&) { larodSetTensorFdProps(tensor, LAROD_FD_PROP_DMABUF, nullptr); });
}

TEST_F(BadJobs, TheThirtyThirdTrackedTensorIsRefused) {
    std::vector<UniqueFd> fds;
    std::vector<Tensors> tensors;
    for (int i = 0; i < 33; ++i) {
        tensors.push_back(ownTensors(client_, model_, Side::Inputs, fds));
        CallError error;
        EXPECT_EQ(larodTrackTensor(client_.get(), tensors.back()[0], error), i < 32) << error.text();
        EXPECT_EQ(error.code(), i < 32 ? 0 : LAROD_ERROR_ALLOC);
    }
    tensors.clear();  // slots are free again
    EXPECT_EQ(allocTensors(client_, model_, Side::Inputs).size(), 1U);
}

}  // namespace
}  // namespace larod::test
