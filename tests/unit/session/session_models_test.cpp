// SPDX-License-Identifier: Apache-2.0
// A session's models: what they are loaded from, their jobs, and their end.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>

#include "buffer/file_identity.h"
#include "buffer/memfd.h"
#include "unit/session/session_fixture.h"

namespace larod::session {
namespace {

using test::code;
using test::kFirst;
using test::kSecond;
using test::SessionTest;

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

}  // namespace
}  // namespace larod::session
