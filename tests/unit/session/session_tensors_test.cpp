// SPDX-License-Identifier: Apache-2.0
// A session's tensors: tracked ones and allocated ones.
#include <fcntl.h>
#include <unistd.h>

#include "buffer/memfd.h"
#include "unit/session/session_fixture.h"

namespace larod::session {
namespace {

using test::Answer;
using test::bytesSpec;
using test::code;
using test::kDmaBuf;
using test::kFirst;
using test::kMap;
using test::kReadWrite;
using test::SessionTest;

TEST_F(SessionTest, AJobOnATensorThatIsNoLongerTrackedFails) {
    greet();
    const UniqueFd memory = buffer::makeSealedMemfd("memory", 16);
    const uint64_t model = loadModel(kFirst);
    const uint64_t input = track(memory);
    const uint64_t output = track(memory);
    EXPECT_EQ(ask(job(model, input, output)).header.type, wire::Done::kType);
    EXPECT_EQ(ask(wire::ReleaseTensors{{output, 999}}).header.type, wire::Done::kType) << "unknown ids are ignored";
    EXPECT_EQ(ask(job(model, input, output)).failure(),
              code(LAROD_ERROR_FD) + "output tensor 0: it is no longer tracked");
    EXPECT_NE(track(memory), output) << "no id is used again";
}

TEST_F(SessionTest, Tracks32TensorsAndNoMore) {
    greet();
    const UniqueFd memory = buffer::makeSealedMemfd("memory", 16);
    uint64_t last = 0;
    for (size_t i = 0; i < 32; ++i) {
        last = track(memory);
        ASSERT_NE(last, 0U);
    }
    EXPECT_EQ(page.trackedTensors.load(), 32U);
    EXPECT_EQ(page.trackedBytes.load(), 0U) << "the client gave no size";
    const int fd = memory.get();
    EXPECT_NE(ask(wire::TrackTensor{{0, 0, LAROD_FD_TYPE_DISK}}, {&fd, 1}).failure(), "");
    ask(wire::ReleaseTensors{{last}});
    EXPECT_NE(track(memory), 0U);
}

TEST_F(SessionTest, TracksNothingWithoutAnFdOrWithAWrongOne) {
    greet();
    EXPECT_EQ(ask(wire::TrackTensor{{0, 0, LAROD_FD_TYPE_DISK}}).failure().rfind(code(LAROD_ERROR_FD), 0), 0U);
    const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    const int fd = null.get();
    EXPECT_EQ(ask(wire::TrackTensor{{0, 0, LAROD_FD_TYPE_DISK}}, {&fd, 1}).failure().rfind(code(LAROD_ERROR_FD), 0),
              0U);
    EXPECT_EQ(page.trackedTensors.load(), 0U);
}

TEST_F(SessionTest, AllocatesTensorsThatJobsCanUse) {
    echo(kFirst);
    device(kFirst).inputs = {bytesSpec(16, "a"), bytesSpec(100, "b")};
    device(kFirst).outputs = {bytesSpec(16)};
    greet();
    const uint64_t model = loadModel(kFirst);
    const Answer inputs = ask(wire::AllocTensors{model, Direction::Input, 0, {}});
    const auto allocated = inputs.as<wire::TensorsAllocated>().tensors;
    ASSERT_EQ(allocated.size(), 2U);
    ASSERT_EQ(inputs.fds.size(), 2U);
    EXPECT_EQ(allocated[0].fdSize, 16U);
    EXPECT_EQ(allocated[1].fdSize, 100U);
    EXPECT_EQ(allocated[0].fdProps, static_cast<uint32_t>(LAROD_FD_TYPE_DISK));
    const Answer outputs = ask(wire::AllocTensors{model, Direction::Output, LAROD_FD_PROP_MAP, {}});
    const auto output = outputs.as<wire::TensorsAllocated>().tensors;
    ASSERT_EQ(output.size(), 1U);

    ASSERT_EQ(::pwrite(inputs.fds[0].get(), "0123456789abcdef", 16, 0), 16);
    wire::RunJob request = job(model, allocated[0].trackingId, output[0].trackingId);
    request.inputs.resize(2);
    request.inputs[1].trackingId = allocated[1].trackingId;
    EXPECT_EQ(ask(request).header.type, wire::Done::kType);
    std::string seen(16, '\0');
    ASSERT_EQ(::pread(outputs.fds[0].get(), seen.data(), 16, 0), 16);
    EXPECT_EQ(seen, "0123456789abcdef");

    EXPECT_EQ(arbiter->memoryHeld(), 3U);
    ask(wire::ReleaseTensors{{allocated[0].trackingId, allocated[1].trackingId, output[0].trackingId}});
    ASSERT_TRUE(arbiter->waitFor(control::ReleaseMemory::kType, 1));
    EXPECT_EQ(arbiter->memoryHeld(), 0U);
}

TEST_F(SessionTest, AllocatesAllTensorsOrNone) {
    device(kFirst).inputs = std::vector(20, bytesSpec(16));
    greet();
    const uint64_t model = loadModel(kFirst);
    EXPECT_EQ(ask(wire::AllocTensors{model, Direction::Input, 0, {}}).fds.size(), 20U);
    EXPECT_EQ(ask(wire::AllocTensors{model, Direction::Input, 0, {}}).failure().rfind(code(LAROD_ERROR_ALLOC), 0), 0U);
    EXPECT_EQ(page.trackedTensors.load(), 20U);
    ASSERT_TRUE(arbiter->waitFor(control::ReleaseMemory::kType, 1));
    EXPECT_EQ(arbiter->memoryHeld(), 20U);
}

// dma-buf.md 7.3.
TEST_F(SessionTest, AllocatesDmaBufsWhereTheyAreRequiredOrTheDevicesOwn) {
    greet();
    const uint64_t model = loadModel(kFirst);
    const auto propsFor = [&](uint32_t required) -> uint32_t {
        const size_t before = arbiter->dmaBufsMade();
        const Answer answer = ask(wire::AllocTensors{model, Direction::Input, required, {}});
        if (answer.header.type == wire::Failure::kType) {
            EXPECT_EQ(answer.failure().rfind(code(LAROD_ERROR_ALLOC), 0), 0U) << answer.failure();
            return 0;
        }
        const auto tensor = answer.as<wire::TensorsAllocated>().tensors.at(0);
        EXPECT_EQ(arbiter->dmaBufsMade() - before, (tensor.fdProps & kDmaBuf) != 0 ? 1U : 0U);
        ask(wire::ReleaseTensors{{tensor.trackingId}});
        return tensor.fdProps;
    };
    const auto expect = [&](std::initializer_list<std::pair<uint32_t, uint32_t>> rows) {
        for (const auto& [required, given] : rows) {
            EXPECT_EQ(propsFor(required), given) << fdPropsText(required);
        }
    };
    const uint32_t plain = LAROD_FD_TYPE_DISK;
    const uint32_t dmaBuf = LAROD_FD_TYPE_DMA;
    expect({{0, plain}, {kReadWrite, plain}, {kMap, plain}, {plain, plain}, {kDmaBuf, dmaBuf}, {dmaBuf, dmaBuf}});
    expect({{kReadWrite | kDmaBuf, 0}, {kReadWrite | kMap | kDmaBuf, 0}, {8, 0}});

    device(kFirst).properties.allocInput = plain | kDmaBuf;  // a device with dma-bufs of its own
    expect({{0, dmaBuf}, {kReadWrite, plain}, {kMap, dmaBuf}, {plain, plain}, {kDmaBuf, dmaBuf}, {dmaBuf, dmaBuf}});
    expect({{kReadWrite | kDmaBuf, 0}});

    device(kFirst).properties.allocInput = dmaBuf;  // and with nothing else
    expect({{0, dmaBuf}, {kReadWrite, 0}, {kMap, dmaBuf}, {plain, 0}, {kDmaBuf, dmaBuf}, {dmaBuf, dmaBuf}});

    device(kFirst).properties = {kReadWrite, kReadWrite, plain, plain};  // its jobs could use no dma-buf
    expect({{0, plain}, {kDmaBuf, 0}, {dmaBuf, 0}});
}

TEST_F(SessionTest, AllocatesMemoryFilesWhereNoDmaBufsAreToBeHadUnlessTheyAreRequired) {
    greet();
    const uint64_t model = loadModel(kFirst);
    device(kFirst).properties.allocInput = LAROD_FD_TYPE_DISK | LAROD_FD_PROP_DMABUF;
    arbiter->refuseDmaBufs(Error(LAROD_ERROR_ALLOC, "no node"));
    const auto tensors = ask(wire::AllocTensors{model, Direction::Input, 0, {}}).as<wire::TensorsAllocated>().tensors;
    EXPECT_EQ(tensors.at(0).fdProps, uint32_t{LAROD_FD_TYPE_DISK});
    EXPECT_EQ(ask(wire::AllocTensors{model, Direction::Input, LAROD_FD_PROP_DMABUF, {}}).failure(),
              code(LAROD_ERROR_ALLOC) + "no node");
    device(kFirst).properties.allocInput = LAROD_FD_TYPE_DMA;
    EXPECT_EQ(ask(wire::AllocTensors{model, Direction::Input, 0, {}}).failure(), code(LAROD_ERROR_ALLOC) + "no node");
}

TEST_F(SessionTest, AllocatesNothingBeyondItsLimit) {
    greet();
    const uint64_t model = loadModel(kFirst);
    arbiter->refuse(control::AllocMemory::kType, Error(LAROD_ERROR_ALLOC, "over the limit"));
    EXPECT_EQ(ask(wire::AllocTensors{model, Direction::Input, 0, {}}).failure(),
              code(LAROD_ERROR_ALLOC) + "over the limit");
    EXPECT_EQ(page.trackedTensors.load(), 0U);
}

}  // namespace
}  // namespace larod::session
