// SPDX-License-Identifier: Apache-2.0
// A session as its client sees it: the handshake, bad messages, models and tensors.
#include "session/session.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "buffer/file_identity.h"
#include "buffer/memfd.h"
#include "unit/session/session_fixture.h"

namespace larod::session {
namespace {

using test::Answer;
using test::bytesSpec;
using test::code;
using test::kFirst;
using test::kSecond;
using test::memoryOf;

class SessionTest : public test::SessionFixture {
  protected:
    // Output i gets the bytes of input i.
    void echo(uint32_t index) {
        device(index).onRun = [](const device::JobIo& io) {
            std::memcpy(memoryOf(io.outputs[0]).data(), memoryOf(io.inputs[0]).data(), 16);
        };
    }
};

// ---- The handshake

TEST_F(SessionTest, WelcomesWithItsDevices) {
    device(kFirst).filesOnly = true;
    start();
    std::array<std::byte, 64> buffer;
    sendBytes(wire::encodeHello({}, buffer));
    const auto welcome = receive().as<wire::Welcome>();
    ASSERT_EQ(welcome.devices.size(), 3U);
    EXPECT_EQ(welcome.devices[0].name, "first");
    EXPECT_EQ(welcome.devices[1].name, "second");
    EXPECT_EQ(welcome.devices[2].name, "alias");
    for (const wire::DeviceInfo& info : welcome.devices) {
        EXPECT_EQ(info.takesFile, info.name == "first") << info.name;
    }
}

TEST_F(SessionTest, RefusesAnotherVersionInBytesThatAnyVersionReads) {
    start();
    struct {
        uint32_t type = 1;
        uint32_t version = 7;
        uint64_t magic = wire::kMagic;
    } hello;
    sendBytes(std::as_bytes(std::span(&hello, 1)));
    const Answer answer = receive();
    struct {
        uint32_t type;
        uint32_t version;
        uint64_t magic;
        int32_t code;
        uint32_t length;
    } refusal;
    ASSERT_GE(answer.bytes.size(), sizeof(refusal));
    std::memcpy(&refusal, answer.bytes.data(), sizeof(refusal));
    EXPECT_EQ(refusal.type, 2U);
    EXPECT_EQ(refusal.version, wire::kProtocolVersion);
    EXPECT_EQ(refusal.magic, wire::kMagic);
    EXPECT_EQ(refusal.code, LAROD_ERROR_VERSION_MISMATCH);
    EXPECT_EQ(refusal.length, answer.bytes.size() - sizeof(refusal));
    EXPECT_EQ(receive().header.type, wire::MessageType{});
    waitUntilEnded();
}

TEST_F(SessionTest, RefusesWhoeverDoesNotSayHello) {
    start();
    sendAs(1, wire::GetNumSessions{});
    const auto refusal = wire::decodeRefusal(receive().bytes);
    ASSERT_TRUE(refusal);
    EXPECT_EQ(refusal->code, LAROD_ERROR_CONNECTION);
    waitUntilEnded();
}

TEST_F(SessionTest, EndsWithAClientThatNeverSpeaks) {
    start();
    hangUp();
    waitUntilEnded();
}

TEST_F(SessionTest, EndsWhereItsClientSaysNothingForTooLong) {
    options.helloTimeout = std::chrono::milliseconds(20);
    start();
    waitUntilEnded();
    EXPECT_EQ(receive().header.type, wire::MessageType{});
    EXPECT_EQ(page.greeted, 0U);
}

// ---- Bad messages

TEST_F(SessionTest, AnUnknownRequestEndsTheSessionAndSaysWhy) {
    greet();
    struct {
        uint32_t type = 9999;
        uint32_t reserved = 0;
        uint64_t requestId = 5;
    } message;
    sendBytes(std::as_bytes(std::span(&message, 1)));
    const Answer answer = receive();
    EXPECT_EQ(answer.header.requestId, 0U);
    EXPECT_EQ(answer.failure(), code(LAROD_ERROR_CONNECTION) + "message type 9999 is unknown to this service");
    waitUntilEnded();
}

TEST_F(SessionTest, AMessageWithoutAHeaderEndsTheSession) {
    greet();
    const std::array<std::byte, 15> bytes{};
    sendBytes(bytes);
    const Answer answer = receive();
    EXPECT_EQ(answer.header.requestId, 0U);
    EXPECT_EQ(answer.failure(), code(LAROD_ERROR_CONNECTION) + "a message of 15 bytes has no header");
    waitUntilEnded();
}

TEST_F(SessionTest, AMessageThatIsLargerThanAnyEndsTheSession) {
    greet();
    const std::vector<std::byte> bytes(wire::kMaxDatagramBytes + 1);
    const int room = 1 << 20;
    ::setsockopt(client->fd(), SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
    sendBytes(bytes);
    const Answer answer = receive();
    EXPECT_EQ(answer.header.requestId, 0U);
    EXPECT_EQ(answer.failure().rfind(code(LAROD_ERROR_CONNECTION) + "a message was larger than", 0), 0U);
    waitUntilEnded();
}

class CutOffMessage : public SessionTest, public ::testing::WithParamInterface<size_t> {};

TEST_P(CutOffMessage, EndsTheSession) {
    std::vector<std::byte> buffer(1000);
    std::span<const std::byte> whole;
    switch (GetParam() % 4) {
        case 0:
            whole = wire::encode(job(1, 2, 3), 1, buffer);
            break;
        case 1: {
            wire::LoadModel load;
            load.name = "name";
            load.hasParams = true;
            load.params.set("key", std::string("value"));
            whole = wire::encode(load, 1, buffer);
            break;
        }
        case 2:
            whole = wire::encode(wire::TrackTensor{}, 1, buffer);
            break;
        default:
            whole = wire::encode(wire::ReleaseTensors{{1, 2}}, 1, buffer);
    }
    // The header, and part of the rest.
    const size_t body = whole.size() - wire::kHeaderBytes;
    const size_t cut = wire::kHeaderBytes + body * (GetParam() / 4) / 5;
    greet();
    sendBytes(whole.first(cut));
    const Answer answer = receive();
    EXPECT_EQ(answer.header.requestId, 0U);
    EXPECT_EQ(answer.failure().rfind(code(LAROD_ERROR_CONNECTION) + "malformed message", 0), 0U);
    waitUntilEnded();
}

INSTANTIATE_TEST_SUITE_P(Session, CutOffMessage, ::testing::Range(size_t{0}, size_t{20}));

TEST_F(SessionTest, ClosesTheFdsOfARequestThatItRefuses) {
    greet();
    const uint64_t model = loadModel(kFirst);
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    const UniqueFd readEnd(ends[0]);
    UniqueFd writeEnd(ends[1]);
    wire::RunJob request;
    request.modelId = model;
    request.inputs.resize(1);
    request.outputs.resize(2);  // one too many
    const std::array<int, 2> fds = {writeEnd.get(), writeEnd.get()};
    EXPECT_EQ(ask(request, fds).failure().rfind(code(LAROD_ERROR_TENSOR_MISMATCH), 0), 0U);
    writeEnd.reset();
    // The end of the pipe is seen when the session has none of its fds any more.
    pollfd closed = {readEnd.get(), POLLIN, 0};
    EXPECT_EQ(::poll(&closed, 1, 10'000), 1) << "the session keeps an fd of a request that it refused";
}

TEST_F(SessionTest, ClosesFdsThatNoRequestAskedFor) {
    greet();
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    const UniqueFd readEnd(ends[0]);
    UniqueFd writeEnd(ends[1]);
    const int fd = writeEnd.get();
    EXPECT_EQ(ask(wire::GetNumSessions{}, {&fd, 1}).as<wire::NumSessions>().count, 1U);
    writeEnd.reset();
    pollfd closed = {readEnd.get(), POLLIN, 0};
    EXPECT_EQ(::poll(&closed, 1, 10'000), 1);
}

TEST_F(SessionTest, EndsWhenTheArbiterIsGone) {
    greet();
    arbiter->shutdown();
    send(wire::GetNumSessions{});
    const Answer answer = receive();
    EXPECT_EQ(answer.header.requestId, 0U);
    EXPECT_EQ(answer.failure().rfind(code(LAROD_ERROR_CONNECTION), 0), 0U);
    waitUntilEnded();
}

TEST_F(SessionTest, PassesQuestionsAndRefusalsOn) {
    greet();
    EXPECT_EQ(ask(wire::GetNumSessions{}).as<wire::NumSessions>().count, 1U);
    EXPECT_EQ(ask(wire::GetModels{}).as<wire::Models>().models.size(), 0U);
    EXPECT_EQ(ask(wire::GetModel{3}).failure(), code(LAROD_ERROR_MODEL_NOT_FOUND) + "there is no model with id 3");
}

// ---- Models

TEST_F(SessionTest, LoadsRunsAndDeletesAModel) {
    echo(kFirst);
    greet();
    const uint64_t model = loadModel(kFirst);
    const UniqueFd input = buffer::makeSealedMemfd("in", 16);
    const UniqueFd output = buffer::makeSealedMemfd("out", 16);
    ASSERT_EQ(::pwrite(input.get(), "0123456789abcdef", 16, 0), 16);
    const auto request = job(model, track(input), track(output));
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(ask(request).header.type, wire::Done::kType);
    }
    std::string seen(16, '\0');
    ASSERT_EQ(::pread(output.get(), seen.data(), 16, 0), 16);
    EXPECT_EQ(seen, "0123456789abcdef");
    EXPECT_EQ(page.jobsDone.load(), 3U);

    EXPECT_EQ(ask(wire::DeleteModel{model}).header.type, wire::Done::kType);
    EXPECT_EQ(ask(request).failure().rfind(code(LAROD_ERROR_MODEL_NOT_FOUND), 0), 0U);
    EXPECT_EQ(ask(wire::GetNumSessions{}).as<wire::NumSessions>().count, 1U) << "the session goes on";
}

TEST_F(SessionTest, RunsUntrackedTensorsTheSameWay) {
    echo(kFirst);
    greet();
    wire::RunJob request;
    request.modelId = loadModel(kFirst);
    request.inputs.resize(1);
    request.outputs.resize(1);
    for (auto* tensor : {&request.inputs[0], &request.outputs[0]}) {
        tensor->hasFd = true;
        tensor->fd = {16, 0, LAROD_FD_TYPE_DISK};
    }
    const UniqueFd input = buffer::makeSealedMemfd("in", 16);
    const UniqueFd output = buffer::makeSealedMemfd("out", 16);
    ASSERT_EQ(::pwrite(input.get(), "0123456789abcdef", 16, 0), 16);
    const std::array<int, 2> fds = {input.get(), output.get()};
    EXPECT_EQ(ask(request, fds).header.type, wire::Done::kType);
    std::string seen(16, '\0');
    ASSERT_EQ(::pread(output.get(), seen.data(), 16, 0), 16);
    EXPECT_EQ(seen, "0123456789abcdef");
    EXPECT_EQ(ask(request, {fds.data(), 1}).failure(),
              code(LAROD_ERROR_FD) + "output tensor 0: it has no fd; set one with larodSetTensorFd");
}

TEST_F(SessionTest, AJobThatFailsHarmsNoOther) {
    int runs = 0;
    device(kFirst).onRun = [&runs](const device::JobIo&) {
        if (++runs == 1) {
            throw Error(LAROD_ERROR_JOB, "the engine says no");
        }
    };
    greet();
    const UniqueFd memory = buffer::makeSealedMemfd("memory", 16);
    const auto request = job(loadModel(kFirst), track(memory), track(memory));
    EXPECT_EQ(ask(request).failure(), code(LAROD_ERROR_JOB) + "the engine says no");
    EXPECT_EQ(ask(request).header.type, wire::Done::kType);
    EXPECT_EQ(page.jobsFailed.load(), 1U);
}

TEST_F(SessionTest, AJobOfAModelThatDoesNotExistFails) {
    greet();
    wire::RunJob request;
    request.modelId = 12;
    EXPECT_EQ(ask(request).failure(), code(LAROD_ERROR_MODEL_NOT_FOUND) + "there is no model with id 12");
    EXPECT_EQ(
        ask(wire::AllocTensors{12, Direction::Input, 0, {}}).failure().rfind(code(LAROD_ERROR_MODEL_NOT_FOUND), 0), 0U);
}

TEST_F(SessionTest, RunsAModelOfAnotherSessionUntilItIsDeleted) {
    greet();
    control::FetchedModel model;
    model.info.id = 40;
    model.info.device = kSecond;
    model.info.access = LAROD_ACCESS_PUBLIC;
    model.hasParams = true;
    arbiter->addModel(model);
    const UniqueFd memory = buffer::makeSealedMemfd("memory", 16);
    const auto request = job(40, track(memory), track(memory));
    EXPECT_EQ(ask(request).header.type, wire::Done::kType);
    EXPECT_EQ(ask(request).header.type, wire::Done::kType);
    EXPECT_EQ(arbiter->count(control::FetchModel::kType), 1U);
    EXPECT_EQ(arbiter->count(wire::GetModel::kType), 0U) << "nothing was deleted: nothing to ask";

    servicePage.modelGeneration.store(1);  // another model was deleted
    EXPECT_EQ(ask(request).header.type, wire::Done::kType);
    EXPECT_EQ(ask(request).header.type, wire::Done::kType);
    EXPECT_EQ(arbiter->count(wire::GetModel::kType), 1U);

    arbiter->removeModel(40);
    servicePage.modelGeneration.store(2);
    EXPECT_EQ(ask(request).failure().rfind(code(LAROD_ERROR_MODEL_NOT_FOUND), 0), 0U);
    EXPECT_EQ(ask(request).failure().rfind(code(LAROD_ERROR_MODEL_NOT_FOUND), 0), 0U);
}

TEST_F(SessionTest, AnEngineThatRunsOutOfMemoryFailsTheRequestOnly) {
    device(kFirst).onLoad = [](const device::ModelSource&) { throw std::bad_alloc(); };
    device(kSecond).onRun = [](const device::JobIo&) { throw std::bad_alloc(); };
    greet();
    control::FetchedModel model;
    model.info.id = 40;
    model.info.device = kFirst;
    model.hasParams = true;
    arbiter->addModel(model);
    wire::LoadModel load;
    load.device = kFirst;
    load.access = LAROD_ACCESS_PRIVATE;
    load.hasParams = true;
    EXPECT_EQ(ask(load).failure().rfind(code(ENOMEM), 0), 0U);
    EXPECT_EQ(ask(job(40, 1, 1)).failure().rfind(code(ENOMEM), 0), 0U) << "while it is fetched";
    const UniqueFd memory = buffer::makeSealedMemfd("memory", 16);
    const auto request = job(loadModel(kSecond), track(memory), track(memory));
    EXPECT_EQ(ask(request).failure().rfind(code(ENOMEM), 0), 0U);
}

TEST_F(SessionTest, ModelsOfADeviceWithANodeHaveItOpened) {
    device(kSecond).nodePath = "/dev/second";
    std::vector<uint64_t> seen;
    for (const uint32_t unit : {kFirst, kSecond}) {
        device(unit).onLoad = [&seen](const device::ModelSource& source) {
            const UniqueFd node = source.openNode ? source.openNode() : UniqueFd();
            seen.push_back(node ? buffer::fileStatus(node.get()).length : 0);
        };
    }
    greet();
    loadModel(kFirst);
    loadModel(kSecond);
    loadModel(test::kSecondsAlias);
    EXPECT_EQ(seen, (std::vector<uint64_t>{0, 1000 + kSecond, 1000 + kSecond}));
}

TEST_F(SessionTest, ChecksWhatAModelIsToBeLoadedFrom) {
    device(kFirst).filesOnly = true;
    greet();
    const auto failure = [this](uint32_t onDevice, larodAccess access, bool hasParams, const UniqueFd& file) {
        wire::LoadModel request;
        request.device = onDevice;
        request.access = access;
        request.hasParams = hasParams;
        request.hasFile = static_cast<bool>(file);
        const int fd = file.get();
        return ask(request, std::span<const int>(&fd, file ? 1 : 0)).failure();
    };
    const UniqueFd none;
    EXPECT_EQ(failure(3, LAROD_ACCESS_PRIVATE, true, none).rfind(code(LAROD_ERROR_INVALID_CHIP_ID), 0), 0U);
    EXPECT_EQ(failure(kFirst, LAROD_ACCESS_INVALID, true, none).rfind(code(LAROD_ERROR_INVALID_ACCESS), 0), 0U);
    EXPECT_EQ(failure(kFirst, LAROD_ACCESS_PRIVATE, false, none).rfind(code(LAROD_ERROR_FD), 0), 0U);
    EXPECT_EQ(failure(kFirst, LAROD_ACCESS_PRIVATE, true, none).rfind(code(LAROD_ERROR_FD), 0), 0U);
    EXPECT_EQ(failure(kSecond, LAROD_ACCESS_PRIVATE, false, buffer::makeSealedMemfd("file", 10))
                  .rfind(code(LAROD_ERROR_LOAD_MODEL), 0),
              0U);
    EXPECT_EQ(failure(kFirst, LAROD_ACCESS_PRIVATE, false, buffer::makeSealedMemfd("file", 0)),
              code(LAROD_ERROR_LOAD_MODEL) + "the model file is empty");
    EXPECT_EQ(failure(kFirst, LAROD_ACCESS_PRIVATE, false, UniqueFd(::open("/", O_RDONLY | O_CLOEXEC)))
                  .rfind(code(LAROD_ERROR_FD), 0),
              0U);
    const UniqueFd sparse(::memfd_create("file", MFD_CLOEXEC));
    ASSERT_EQ(::ftruncate(sparse.get(), static_cast<off_t>(kMaxModelBytes) + 1), 0);
    EXPECT_EQ(failure(kFirst, LAROD_ACCESS_PRIVATE, false, sparse).rfind(code(LAROD_ERROR_LOAD_MODEL), 0), 0U);
    EXPECT_EQ(arbiter->memoryHeld(), 0U);
}

class ModelFileTest : public SessionTest, public ::testing::WithParamInterface<larodAccess> {};

// A model that others may use is sealed by the arbiter, while this session has it mapped.
TEST_P(ModelFileTest, IsCopiedAndMapped) {
    device(kFirst).filesOnly = true;
    std::string seen;
    device(kFirst).onLoad = [&seen](const device::ModelSource& source) {
        seen.assign(reinterpret_cast<const char*>(source.file->data()), source.file->size());
    };
    greet();
    const UniqueFd file = buffer::makeSealedMemfd("file", 10);
    ASSERT_EQ(::pwrite(file.get(), "0123456789", 10, 0), 10);
    ::lseek(file.get(), 4, SEEK_SET);
    wire::LoadModel request;
    request.device = kFirst;
    request.access = GetParam();
    request.hasFile = true;
    const int fd = file.get();
    const auto model = ask(request, {&fd, 1}).as<wire::Model>().model;
    EXPECT_EQ(seen, "0123456789") << "from its beginning, wherever the position is";
    EXPECT_EQ(model.sizeBytes, 10U);
    EXPECT_EQ(arbiter->memoryHeld(), 1U);
    EXPECT_EQ(ask(wire::DeleteModel{model.id}).header.type, wire::Done::kType);
    ASSERT_TRUE(arbiter->waitFor(control::ReleaseMemory::kType, 1));
    EXPECT_EQ(arbiter->memoryHeld(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Session, ModelFileTest,
                         ::testing::Values(LAROD_ACCESS_PRIVATE, LAROD_ACCESS_PUBLIC, LAROD_ACCESS_USER_PROTECTED));

TEST_F(SessionTest, GivesTheMemoryOfAModelBackThatDoesNotLoad) {
    device(kFirst).filesOnly = true;
    int loads = 0;
    device(kFirst).onLoad = [&loads](const device::ModelSource&) {
        if (++loads == 1) {
            throw Error(LAROD_ERROR_LOAD_MODEL, "no model of ours");
        }
        throw std::bad_alloc();
    };
    greet();
    const UniqueFd file = buffer::makeSealedMemfd("file", 10);
    const int fd = file.get();
    wire::LoadModel request;
    request.device = kFirst;
    request.access = LAROD_ACCESS_PRIVATE;
    request.hasFile = true;
    EXPECT_EQ(ask(request, {&fd, 1}).failure(), code(LAROD_ERROR_LOAD_MODEL) + "no model of ours");
    EXPECT_EQ(ask(request, {&fd, 1}).failure().rfind(code(ENOMEM), 0), 0U);
    ASSERT_TRUE(arbiter->waitFor(control::ReleaseMemory::kType, 2));
    EXPECT_EQ(arbiter->memoryHeld(), 0U);
}

// ---- Tensors

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
    constexpr uint32_t kReadWrite = LAROD_FD_PROP_READWRITE;
    constexpr uint32_t kMap = LAROD_FD_PROP_MAP;
    constexpr uint32_t kDmaBuf = LAROD_FD_PROP_DMABUF;
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
