// SPDX-License-Identifier: Apache-2.0
// Behaviour 6: tracked and allocated tensors, and who closes what.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conformance/service.h"
#include "support/callbacks.h"

namespace larod::test {
namespace {

using Behaviour_6_1 = Served;
using Behaviour_6_2 = Served;
using Behaviour_6_3 = Served;

constexpr size_t kTrackedBytes = 4096 + 100;

void expectFrozen(larodTensor* tensor) {
    CallError error;
    EXPECT_FALSE(larodSetTensorFd(tensor, 0, error));
    EXPECT_EQ(error.code(), EPERM) << error.text();
    EXPECT_FALSE(larodSetTensorFdSize(tensor, 1, error));
    EXPECT_EQ(error.code(), EPERM) << error.text();
    EXPECT_FALSE(larodSetTensorFdOffset(tensor, 1, error));
    EXPECT_EQ(error.code(), EPERM) << error.text();
    EXPECT_FALSE(larodSetTensorFdProps(tensor, LAROD_FD_PROP_MAP, error));
    EXPECT_EQ(error.code(), EPERM) << error.text();
    // What describes the contents stays changeable.
    larodTensorDims dims = *larodGetTensorDims(tensor, nullptr);
    larodTensorPitches pitches = *larodGetTensorPitches(tensor, nullptr);
    EXPECT_TRUE(larodSetTensorDims(tensor, &dims, error)) << error.text();
    EXPECT_TRUE(larodSetTensorPitches(tensor, &pitches, error)) << error.text();
    EXPECT_TRUE(larodSetTensorDataType(tensor, LAROD_TENSOR_DATA_TYPE_UNSPECIFIED, error)) << error.text();
    EXPECT_TRUE(larodSetTensorLayout(tensor, LAROD_TENSOR_LAYOUT_UNSPECIFIED, error)) << error.text();
}

TEST_F(Behaviour_6_1, ThirtyTwoAConnectionCountingAllocatedOnesAndFreedOnesAreFree) {
    const auto model = echoModel(client_, 8);
    std::vector<UniqueFd> fds;
    std::vector<Tensors> tracked;
    for (int i = 0; i < 16; ++i) {
        tracked.push_back(allocTensors(client_, model, Side::Inputs));
        tracked.push_back(ownTensors(client_, model, Side::Outputs, fds));
        CallError error;
        ASSERT_TRUE(larodTrackTensor(client_.get(), tracked.back()[0], error)) << error.text();
    }
    const auto extra = ownTensors(client_, model, Side::Inputs, fds);
    CallError error;
    EXPECT_FALSE(larodTrackTensor(client_.get(), extra[0], error));
    EXPECT_EQ(error.code(), LAROD_ERROR_ALLOC) << error.text();
    EXPECT_EQ(larodAllocModelInputs(client_.get(), model.get(), 0, nullptr, nullptr, error), nullptr);
    EXPECT_EQ(error.code(), LAROD_ERROR_ALLOC) << error.text();
    // Another connection has 32 of its own.
    const Client other;
    const auto otherModel = echoModel(other, 8);
    EXPECT_EQ(allocTensors(other, otherModel, Side::Inputs).size(), 1U);
    tracked.pop_back();
    EXPECT_TRUE(larodTrackTensor(client_.get(), extra[0], error)) << error.text();
}

TEST_F(Behaviour_6_1, AllocationIsAllOrNothingAtTheLimit) {
    Params params;
    params.set("debug.inputs", 20);
    const auto model = loadParams(client_, kDebug, params);
    auto first = std::optional(allocTensors(client_, model, Side::Inputs));
    CallError error;
    EXPECT_EQ(larodAllocModelInputs(client_.get(), model.get(), 0, nullptr, nullptr, error), nullptr);
    EXPECT_EQ(error.code(), LAROD_ERROR_ALLOC) << error.text();
    const auto twelve = [&] {
        Params few;
        few.set("debug.inputs", 12);
        return loadParams(client_, kDebug, few);
    }();
    EXPECT_EQ(allocTensors(client_, twelve, Side::Inputs).size(), 12U);  // the failure took no slot
}

TEST_F(Behaviour_6_1, FdAndItsSizeOffsetAndPropsAreFrozen) {
    const auto model = echoModel(client_, 8);
    std::vector<UniqueFd> fds;
    const auto own = ownTensors(client_, model, Side::Inputs, fds);
    CallError error;
    ASSERT_TRUE(larodTrackTensor(client_.get(), own[0], error)) << error.text();
    expectFrozen(own[0]);
    expectFrozen(allocTensors(client_, model, Side::Inputs)[0]);
    EXPECT_FALSE(larodTrackTensor(client_.get(), own[0], error));
    EXPECT_EQ(error.code(), EINVAL) << error.text();
}

TEST_F(Behaviour_6_1, ATrackedTensorServesTwoModelsAndTwoDevicesAsInputAndOutput) {
    // 8x8 nv12 has 96 bytes; its conversion 192.
    const auto first = converter(client_);
    const auto second = echoModel(client_, 192);
    const auto third = echoModel(client_, 192);
    const auto nv12 = allocTensors(client_, first, Side::Inputs);
    std::vector<UniqueFd> fds;
    const auto shared = ownTensors(client_, first, Side::Outputs, fds);
    const auto last = allocTensors(client_, second, Side::Outputs);
    CallError error;
    ASSERT_TRUE(larodTrackTensor(client_.get(), shared[0], error)) << error.text();
    nv12.write(0, std::vector<uint8_t>(96, 128));
    const Request convert(first, nv12, shared);
    // For the echo, the same buffer has no dimensions.
    larodTensorDims none = {};
    larodTensorPitches noPitches = {};
    ASSERT_TRUE(larodSetTensorDims(shared[0], &none, error)) << error.text();
    ASSERT_TRUE(larodSetTensorPitches(shared[0], &noPitches, error)) << error.text();
    const Request echo(second, shared, last);
    const Request again(third, shared, last);
    for (int round = 0; round < 3; ++round) {
        for (const Request* request : {&convert, &echo, &again}) {
            expectRuns(client_, *request);
        }

        std::vector<uint8_t> converted(192);
        ASSERT_EQ(::pread(fds[0].get(), converted.data(), 192, 0), 192);
        EXPECT_EQ(last.read(0), converted);
        EXPECT_NE(converted, std::vector<uint8_t>(192));
    }
}

TEST_F(Behaviour_6_1, TheClientMayCloseItsFdAfterTracking) {
    const auto model = echoModel(client_, kTrackedBytes);
    std::vector<UniqueFd> fds;
    const auto inputs = ownTensors(client_, model, Side::Inputs, fds);
    const auto outputs = allocTensors(client_, model, Side::Outputs);
    const auto data = randomBytes(kTrackedBytes, 2);
    inputs.write(0, data);
    ASSERT_TRUE(larodTrackTensor(client_.get(), inputs[0], nullptr));
    fds.clear();
    expectRuns(client_, Request(model, inputs, outputs));
    EXPECT_EQ(outputs.read(0), data);
}

TEST_F(Behaviour_6_1, OnAnotherConnectionATrackedTensorIsAnUntrackedOne) {
    const Client other;
    const auto model = echoModel(client_, kTrackedBytes, LAROD_ACCESS_PUBLIC);
    const auto inputs = allocTensors(client_, model, Side::Inputs);
    const auto outputs = allocTensors(client_, model, Side::Outputs);
    const auto data = randomBytes(kTrackedBytes, 3);
    inputs.write(0, data);
    expectRuns(other, Request(model, inputs, outputs));
    EXPECT_EQ(outputs.read(0), data);
}

TEST_F(Behaviour_6_1, ARequestMadeBeforeTrackingRunsAndOneWhoseTrackingEndedFails) {
    const auto model = echoModel(client_, kTrackedBytes);
    std::vector<UniqueFd> fds;
    const auto outputs = allocTensors(client_, model, Side::Outputs);
    auto inputs = std::optional(ownTensors(client_, model, Side::Inputs, fds));
    const auto data = randomBytes(kTrackedBytes, 4);
    inputs->write(0, data);
    const Request before(model, *inputs, outputs);
    ASSERT_TRUE(larodTrackTensor(client_.get(), (*inputs)[0], nullptr));
    const Request after(model, *inputs, outputs);
    for (const Request* request : {&before, &after}) {
        expectRuns(client_, *request);
        EXPECT_EQ(outputs.read(0), data);
    }
    inputs.reset();
    expectRuns(client_, before);  // its fd is still open
    expectFails(client_, after, LAROD_ERROR_FD);
}

TEST_F(Behaviour_6_1, TrackingEndsWithTheTensorsAndWithTheConnection) {
    const auto sessionFds = [&] {
        size_t open = 0;
        const auto pids = service_.sessionPids();
        for (const pid_t pid : pids) {
            for (int fd = 0; fd < 256; ++fd) {
                struct stat status = {};
                open += ::lstat(("/proc/" + std::to_string(pid) + "/fd/" + std::to_string(fd)).c_str(), &status) == 0;
            }
        }
        return open;
    };
    const auto model = echoModel(client_, kTrackedBytes);
    const size_t before = sessionFds();
    {
        const auto inputs = allocTensors(client_, model, Side::Inputs);
        EXPECT_GT(sessionFds(), before);
    }
    EXPECT_EQ(sessionFds(), before);
    {
        Client passing;
        const auto theirs = echoModel(passing, kTrackedBytes);
        const auto inputs = allocTensors(passing, theirs, Side::Inputs);
        passing.disconnect();
    }
    EXPECT_TRUE(eventually([&] { return service_.sessionPids().size() == 1; }));
    EXPECT_EQ(sessionFds(), before);
}

// While a device is busy two threads of the session read; a job must not be overtaken by what was sent after it.
TEST_F(Behaviour_6_1, AJobKeepsATensorThatIsDestroyedRightAfterItWasSent) {
    constexpr size_t kJobs = 300;
    constexpr size_t kInFlight = 6;
    Params params;
    params.set("debug.delay", 250);  // longer than the jobs that the reading thread runs itself
    const auto model = loadParams(client_, kDebug, params);
    const auto outputs = allocTensors(client_, model, Side::Outputs);
    Callbacks callbacks;
    for (size_t i = 0; i < kJobs; ++i) {
        const auto inputs = allocTensors(client_, model, Side::Inputs);
        const Request request(model, inputs, outputs);
        CallError error;
        ASSERT_TRUE(larodRunJobAsync(client_.get(), request.get(), Callbacks::done, &callbacks, error)) << error.text();
        if (i >= kInFlight) {
            callbacks.waitFor(i - kInFlight);
        }
    }
    EXPECT_EQ(callbacks.waitFor(kJobs), std::vector<int>(kJobs, LAROD_ERROR_NONE));
}

TEST_F(Behaviour_6_2, PlainBuffersCanBeReadWrittenAndMapped) {
    for (const char* device : {kDebug, kCpuProc}) {
        const auto model = device == kDebug ? echoModel(client_, kTrackedBytes) : converter(client_);
        for (const Side side : {Side::Inputs, Side::Outputs}) {
            for (const uint32_t flags : {uint32_t{0}, LAROD_FD_PROP_READWRITE, LAROD_FD_PROP_MAP, LAROD_FD_TYPE_DISK}) {
                const auto tensors = allocTensors(client_, model, side, flags);
                uint32_t props = 0;
                ASSERT_TRUE(larodGetTensorFdProps(tensors[0], &props, nullptr));
                EXPECT_EQ(props, LAROD_FD_TYPE_DISK);
                EXPECT_EQ(props & flags, flags);
            }
        }
    }
}

TEST_F(Behaviour_6_2, ReadwriteAndDmabufTogetherCantBeHad) {
    const auto model = echoModel(client_, 8);
    CallError error;
    for (const uint32_t flags :
         {LAROD_FD_PROP_READWRITE | LAROD_FD_PROP_DMABUF, LAROD_FD_TYPE_DISK | LAROD_FD_PROP_DMABUF}) {
        EXPECT_EQ(larodAllocModelInputs(client_.get(), model.get(), flags, nullptr, nullptr, error), nullptr);
        EXPECT_EQ(error.code(), LAROD_ERROR_ALLOC) << error.text();
    }
    EXPECT_EQ(larodAllocModelInputs(client_.get(), model.get(), 8, nullptr, nullptr, error), nullptr);
    EXPECT_EQ(error.code(), EINVAL) << error.text();
}

TEST_F(Behaviour_6_2, TheFdSizeIsTheTensorsAndTheMemoryIsZeroAndShared) {
    const auto model = echoModel(client_, kTrackedBytes);
    const auto inputs = allocTensors(client_, model, Side::Inputs);
    const auto outputs = allocTensors(client_, model, Side::Outputs);
    for (const Tensors* tensors : {&inputs, &outputs}) {
        size_t size = 0;
        ASSERT_TRUE(larodGetTensorFdSize((*tensors)[0], &size, nullptr));
        EXPECT_EQ(size, kTrackedBytes);
        EXPECT_EQ(larodGetTensorFdOffset((*tensors)[0], nullptr), 0);
        EXPECT_EQ(tensors->read(0), std::vector<uint8_t>(kTrackedBytes));
    }
    // Mapped once, before the first job.
    void* in =
        ::mmap(nullptr, kTrackedBytes, PROT_READ | PROT_WRITE, MAP_SHARED, larodGetTensorFd(inputs[0], nullptr), 0);
    void* out = ::mmap(nullptr, kTrackedBytes, PROT_READ, MAP_SHARED, larodGetTensorFd(outputs[0], nullptr), 0);
    ASSERT_NE(in, MAP_FAILED);
    ASSERT_NE(out, MAP_FAILED);
    const Request request(model, inputs, outputs);
    for (int round = 1; round <= 3; ++round) {
        std::fill_n(static_cast<uint8_t*>(in), kTrackedBytes, static_cast<uint8_t>(round));
        expectRuns(client_, request);
        const auto* bytes = static_cast<const uint8_t*>(out);
        EXPECT_EQ(std::vector<uint8_t>(bytes, bytes + kTrackedBytes),
                  std::vector<uint8_t>(kTrackedBytes, static_cast<uint8_t>(round)));
    }
    ::munmap(in, kTrackedBytes);
    ::munmap(out, kTrackedBytes);
}

TEST_F(Behaviour_6_2, AllocatedTensorsServeOtherModelsAndDevices) {
    const auto convert = converter(client_);
    const auto echo = echoModel(client_, 192);
    const auto nv12 = allocTensors(client_, convert, Side::Inputs);
    const auto rgb = allocTensors(client_, convert, Side::Outputs);
    const auto copied = allocTensors(client_, echo, Side::Outputs);
    nv12.write(0, std::vector<uint8_t>(96, 200));
    expectRuns(client_, Request(convert, nv12, rgb));
    larodTensorDims none = {};
    larodTensorPitches noPitches = {};
    ASSERT_TRUE(larodSetTensorDims(rgb[0], &none, nullptr));
    ASSERT_TRUE(larodSetTensorPitches(rgb[0], &noPitches, nullptr));
    expectRuns(client_, Request(echo, rgb, copied));
    std::vector<uint8_t> converted(192);
    ASSERT_EQ(::pread(larodGetTensorFd(rgb[0], nullptr), converted.data(), 192, 0), 192);
    EXPECT_EQ(copied.read(0), converted);
}

bool isOpen(int fd) {
    return ::fcntl(fd, F_GETFD) >= 0;
}

TEST_F(Behaviour_6_3, TheLibraryClosesFdsOfAllocatedTensorsAndLeavesTheClientsOwn) {
    const auto model = echoModel(client_, 8);
    std::vector<UniqueFd> fds;
    int allocated = -1;
    {
        const auto inputs = allocTensors(client_, model, Side::Inputs);
        allocated = larodGetTensorFd(inputs[0], nullptr);
        EXPECT_TRUE(isOpen(allocated));
        const auto own = ownTensors(client_, model, Side::Outputs, fds);
        ASSERT_TRUE(larodTrackTensor(client_.get(), own[0], nullptr));
    }
    EXPECT_FALSE(isOpen(allocated));
    EXPECT_TRUE(isOpen(fds[0].get()));
}

// What happened to the fd of an allocated tensor before the tensor is destroyed.
class ClosedBefore : public Served, public testing::WithParamInterface<std::tuple<bool, bool>> {};

TEST_P(ClosedBefore, Behaviour_6_3_AnotherObjectBehindTheNumberIsNotClosed) {
    const auto [disconnectFirst, reused] = GetParam();
    const auto model = echoModel(client_, 8);
    const int fd = [&] {
        auto tensors = std::optional(allocTensors(client_, model, Side::Inputs));
        const int number = larodGetTensorFd((*tensors)[0], nullptr);
        if (disconnectFirst) {
            client_.disconnect();
        }
        const UniqueFd other = memoryFile({});
        EXPECT_EQ(::close(number), 0);
        if (reused) {
            EXPECT_EQ(::dup2(other.get(), number), number);
        }
        tensors.reset();
        return number;
    }();
    EXPECT_EQ(isOpen(fd), reused);
    if (reused) {
        ::close(fd);
    }
    if (!disconnectFirst) {
        EXPECT_EQ(allocTensors(client_, model, Side::Inputs).size(), 1U);
    }
}

INSTANTIATE_TEST_SUITE_P(All, ClosedBefore, testing::Combine(testing::Bool(), testing::Bool()),
                         [](const auto& testInfo) {
                             return std::string(std::get<0>(testInfo.param) ? "Disconnected" : "Connected") +
                                    (std::get<1>(testInfo.param) ? "Reused" : "Closed");
                         });

TEST_F(Behaviour_6_3, AMappingOutlivesTensorsAndConnection) {
    const auto model = echoModel(client_, kTrackedBytes);
    uint8_t* memory = nullptr;
    {
        const auto inputs = allocTensors(client_, model, Side::Inputs);
        inputs.write(0, std::vector<uint8_t>(kTrackedBytes, 5));
        memory = static_cast<uint8_t*>(::mmap(nullptr, kTrackedBytes, PROT_READ | PROT_WRITE, MAP_SHARED,
                                              larodGetTensorFd(inputs[0], nullptr), 0));
        ASSERT_NE(memory, MAP_FAILED);
    }
    client_.disconnect();
    EXPECT_EQ(memory[kTrackedBytes - 1], 5);
    memory[0] = 6;
    EXPECT_EQ(memory[0], 6);
    ::munmap(memory, kTrackedBytes);
}

TEST_F(Behaviour_6_3, DestroyingAfterDisconnectReleasesEverythingAndSaysSo) {
    const auto model = echoModel(client_, 8);
    CallError error;
    size_t count = 0;
    larodTensor** tensors = larodAllocModelInputs(client_.get(), model.get(), 0, &count, nullptr, error);
    ASSERT_NE(tensors, nullptr) << error.text();
    const int fd = larodGetTensorFd(tensors[0], nullptr);
    client_.disconnect();
    EXPECT_FALSE(larodDestroyTensors(client_.get(), &tensors, count, error));
    EXPECT_EQ(error.code(), LAROD_ERROR_CONNECTION) << error.text();
    EXPECT_EQ(tensors, nullptr);
    EXPECT_FALSE(isOpen(fd));
}

}  // namespace
}  // namespace larod::test
