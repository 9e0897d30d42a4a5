// SPDX-License-Identifier: Apache-2.0
// Tensors of dma-bufs: those that the session maps and synchronises, and those that the device takes itself.
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <unistd.h>

#include "buffer/memfd.h"
#include "session/tensor.h"
#include "unit/buffer/fake_kernel.h"
#include "unit/session/tensor_fixture.h"

namespace larod::session {
namespace {

using test::bytesSpec;
using test::capable;
using test::duplicate;
using test::errorOf;
using test::FakeBinding;
using test::kDmaBuf;
using test::kFdError;
using test::kInput;
using test::kMap;
using test::kOutput;
using test::kReadWrite;
using test::memoryOf;
using test::pattern;
using test::readInput;
using test::TensorTest;
using test::textOf;
using test::writeOutput;

TEST_F(TensorTest, AWrongPromiseOfADmaBufIsFoundOutAndTheJobRuns) {
    UniqueFd memory = buffer::makeSealedMemfd("test", 16);
    ASSERT_EQ(::pwrite(memory.get(), pattern(16).data(), 16, 0), 16);
    Tensor tensor(std::move(memory), {0, 0, LAROD_FD_TYPE_DMA});
    EXPECT_EQ(readInput(tensor, model, kMap | kReadWrite), pattern(16));
    EXPECT_EQ(readInput(tensor, model, kMap | kReadWrite), pattern(16));
    writeOutput(tensor, model, kMap | kReadWrite, pattern(16, 'A'));
    EXPECT_EQ(readInput(tensor, model, kMap | kReadWrite), pattern(16, 'A'));
}

// What a device without MAP does with a tensor of these properties: "code: text", or "" where the data arrives.
std::string useDmaBuf(const std::shared_ptr<ModelInstance>& model, uint32_t props, device::Capabilities capabilities,
                      int64_t offset = 0) {
    UniqueFd memory = buffer::makeSealedMemfd("test", 32);
    EXPECT_EQ(::pwrite(memory.get(), pattern(32).data(), 32, 0), 32);
    Tensor tensor(std::move(memory), {0, offset, props});
    return errorOf([&] {
        tensor.check(kInput, 16, capabilities);
        BoundTensor& bound = tensor.bind(kInput, model, capabilities);
        bound.begin({});
        EXPECT_EQ(textOf(memoryOf(bound.binding())), pattern(32).substr(static_cast<size_t>(offset), 16));
        bound.end({});
    });
}

TEST_F(TensorTest, ADmaBufThatTheDeviceTakesIsMappedAndSynchronised) {
    buffer::test::FakeKernel kernel;
    kernel.filesAreDmaBufs = true;
    for (const uint32_t props : {kDmaBuf, kDmaBuf | kMap, kDmaBuf | kMap | kReadWrite}) {
        kernel.done.clear();
        EXPECT_EQ(useDmaBuf(model, props, capable(kReadWrite | kDmaBuf), 8), "");
        ASSERT_EQ(kernel.done.size(), 2U);
        EXPECT_EQ(kernel.done[0].flags, uint64_t{DMA_BUF_SYNC_READ});
        EXPECT_EQ(kernel.done[1].flags, uint64_t{DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ});
    }
}

TEST_F(TensorTest, ASynchronisationThatFailsIsOneOfTheFdBeforeTheRunAndOneOfTheJobAfterIt) {
    buffer::test::FakeKernel kernel;
    Tensor tensor(buffer::makeSealedMemfd("test", 16), {0, 0, LAROD_FD_TYPE_DMA});
    for (const TensorPlace place : {kInput, kOutput}) {
        BoundTensor& bound = tensor.bind(place, model, capable(kMap));
        kernel.errors = {EPERM};
        EXPECT_EQ(errorOf([&] { bound.begin({}); }),
                  kFdError + placeText(place) + ": can't begin CPU access to the dma-buf: Operation not permitted");
        kernel.errors = {0, EPERM};
        bound.begin({});
        EXPECT_EQ(errorOf([&] { bound.end({}); }),
                  std::to_string(LAROD_ERROR_JOB) + ": " + placeText(place) +
                      ": can't end CPU access to the dma-buf: Operation not permitted");
    }
}

TEST_F(TensorTest, OutputsInADmaBufThatTheDeviceTakesAreWrittenAndSynchronised) {
    buffer::test::FakeKernel kernel;
    kernel.filesAreDmaBufs = true;
    UniqueFd memory = buffer::makeSealedMemfd("test", 16);
    Tensor tensor(duplicate(memory.get()), {0, 0, kDmaBuf});
    writeOutput(tensor, model, kReadWrite | kDmaBuf, pattern(16));
    std::string content(16, ' ');
    EXPECT_EQ(::pread(memory.get(), content.data(), 16, 0), 16);
    EXPECT_EQ(content, pattern(16));
    ASSERT_EQ(kernel.done.size(), 2U);
    EXPECT_EQ(kernel.done[0].flags, uint64_t{DMA_BUF_SYNC_WRITE});
    EXPECT_EQ(kernel.done[1].flags, uint64_t{DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE});
}

TEST_F(TensorTest, WhatIsNoDmaBufIsUsedByTheOtherPropertiesOnly) {
    const device::Capabilities takesDmaBufs = capable(kReadWrite | kDmaBuf);
    EXPECT_EQ(useDmaBuf(model, kDmaBuf | kReadWrite, takesDmaBufs), "");
    EXPECT_EQ(
        useDmaBuf(model, kDmaBuf | kMap, takesDmaBufs),
        kFdError + "input tensor 0: not usable by DMABUF (its fd is no dma-buf); the device can use READWRITE|DMABUF");
    EXPECT_EQ(useDmaBuf(model, kMap, takesDmaBufs),
              kFdError + "input tensor 0: its fd properties are MAP, the device can only use READWRITE|DMABUF");
}

TEST_F(TensorTest, ADmaBufHasAnOffsetWhereTheDeviceAllowsItOrCanMap) {
    buffer::test::FakeKernel kernel;
    kernel.filesAreDmaBufs = true;
    device::Capabilities capabilities = capable(kReadWrite | kMap | kDmaBuf);
    capabilities.dmaBufOffset = false;
    EXPECT_EQ(useDmaBuf(model, kDmaBuf, capabilities, 0), "");
    EXPECT_EQ(useDmaBuf(model, kDmaBuf | kMap, capabilities, 8), "");
    EXPECT_EQ(useDmaBuf(model, kDmaBuf, capabilities, 8),
              kFdError +
                  "input tensor 0: its fd properties are DMABUF, the device can only use READWRITE|MAP|DMABUF, and "
                  "DMABUF only at fd offset 0, which here is 8");
}

// A model that takes dma-bufs itself, and what became of them.
class NativeModel final : public device::LoadedModel {
  public:
    NativeModel() {
        inputs_ = {bytesSpec(16)};
        outputs_ = {bytesSpec(16)};
    }
    std::unique_ptr<device::Binding> bind(Direction, size_t, std::span<std::byte> memory) override {
        return std::make_unique<FakeBinding>(memory);
    }
    std::unique_ptr<device::Binding> bindDmaBuf(Direction, size_t, const device::DmaBuf& buffer) override {
        if (!refusal.empty()) {
            throw Error(refusalCode, "{}", refusal);
        }
        taken.push_back(buffer);
        return std::make_unique<FakeBinding>(std::span<std::byte>());
    }
    void checkParams(const ParamMap&) const override {}
    void run(const device::JobIo&) override {}

    std::vector<device::DmaBuf> taken;
    std::string refusal;
    int refusalCode = LAROD_ERROR_FD;
};

class NativeTensor : public TensorTest {
  protected:
    NativeTensor() {
        kernel.filesAreDmaBufs = true;
        capabilities.native = true;
    }
    [[nodiscard]] NativeModel& native() const { return static_cast<NativeModel&>(instance->loaded()); }
    [[nodiscard]] std::unique_ptr<Tensor> tensorOf(uint32_t props, int64_t offset = 0) const {
        return std::make_unique<Tensor>(duplicate(memory.get()), wire::FdAttributes{0, offset, props});
    }

    buffer::test::FakeKernel kernel;
    const UniqueFd memory = buffer::makeSealedMemfd("test", 64);
    device::Capabilities capabilities = capable(kReadWrite | kMap | kDmaBuf);
    std::shared_ptr<ModelInstance> instance =
        std::make_shared<ModelInstance>(1, nullptr, std::make_unique<NativeModel>());
};

TEST_F(NativeTensor, IsGivenToTheDeviceAndNeitherMappedNorSynchronised) {
    for (const uint32_t props : {kDmaBuf, kDmaBuf | kMap, kDmaBuf | kMap | kReadWrite}) {
        for (const TensorPlace place : {kInput, kOutput}) {
            const auto tensor = tensorOf(props, 8);
            BoundTensor& bound = tensor->bind(place, instance, capabilities);
            EXPECT_EQ(bound.method(), AccessMethod::DmaBuf);
            bound.begin({});
            bound.end({});
            ASSERT_FALSE(native().taken.empty());
            EXPECT_EQ(native().taken.back().offset, 8U);
            EXPECT_EQ(native().taken.back().length, 64U);
        }
    }
    EXPECT_EQ(native().taken.size(), 6U);
    EXPECT_EQ(kernel.asked, 0U);
}

TEST_F(NativeTensor, OfAnOlderProgramIsSynchronisedForIt) {
    const auto tensor = tensorOf(kDmaBuf);
    BoundTensor& input = tensor->bind(kInput, instance, capabilities);
    BoundTensor& output = tensor->bind(kOutput, instance, capabilities);
    const SyncOptions older{.native = true};
    input.begin(older);
    output.begin(older);
    std::vector<uint64_t> flags;
    const auto takeFlags = [&] {
        flags.clear();
        for (const auto& call : kernel.done) {
            flags.push_back(call.flags);
        }
        kernel.done.clear();
        return flags;
    };
    EXPECT_EQ(takeFlags(), (std::vector<uint64_t>{DMA_BUF_SYNC_WRITE, DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE}));
    input.end(older);
    output.end(older);
    EXPECT_EQ(takeFlags(), (std::vector<uint64_t>{DMA_BUF_SYNC_READ, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ}));
}

TEST_F(NativeTensor, OfAnOlderProgramThatCannotBeSynchronisedFailsAsAMappedOneDoes) {
    const auto tensor = tensorOf(kDmaBuf);
    BoundTensor& input = tensor->bind(kInput, instance, capabilities);
    BoundTensor& output = tensor->bind(kOutput, instance, capabilities);
    for (const bool atStart : {true, false}) {
        const std::string text = std::string(": can't ") + (atStart ? "begin" : "end") +
                                 " CPU access to the dma-buf: Operation not permitted";
        kernel.errors = atStart ? std::deque{EPERM} : std::deque{0, EPERM};
        EXPECT_EQ(errorOf([&] { input.begin({.native = true}); }), kFdError + "input tensor 0" + text);
        kernel.errors = atStart ? std::deque{EPERM} : std::deque{0, EPERM};
        EXPECT_EQ(errorOf([&] { output.end({.native = true}); }),
                  std::to_string(LAROD_ERROR_JOB) + ": output tensor 0" + text);
    }
}

TEST_F(NativeTensor, IsMappedWhereTheDeviceCannotTakeItAndBothCanMap) {
    native().refusal = "its memory is scattered";
    const auto tensor = tensorOf(kDmaBuf | kMap);
    BoundTensor& bound = tensor->bind(kInput, instance, capabilities);
    EXPECT_EQ(bound.method(), AccessMethod::Map);
    EXPECT_EQ(bound.description(),
              "input tensor 0: MAP: mapped, and synchronised for the CPU (tensor MAP|DMABUF, device "
              "READWRITE|MAP|DMABUF; not by DMABUF (its memory is scattered))");
    EXPECT_EQ(errorOf([&] { static_cast<void>(tensorOf(kDmaBuf)->bind(kInput, instance, capabilities)); }),
              kFdError +
                  "input tensor 0: not usable by DMABUF (its memory is scattered); the device can use "
                  "READWRITE|MAP|DMABUF");
}

TEST_F(NativeTensor, OfADeviceThatCanDoNothingIsNotMappedInstead) {
    native().refusal = "the hardware does not answer";
    native().refusalCode = LAROD_ERROR_JOB;
    const auto tensor = tensorOf(kDmaBuf | kMap);
    EXPECT_EQ(errorOf([&] { static_cast<void>(tensor->bind(kInput, instance, capabilities)); }),
              std::to_string(LAROD_ERROR_JOB) + ": the hardware does not answer");
    native().refusal.clear();
    EXPECT_EQ(tensor->bind(kInput, instance, capabilities).method(), AccessMethod::DmaBuf) << "another time";
}

TEST_F(NativeTensor, IsNeverWrittenThroughAnFdForReading) {
    const UniqueFd readOnly(::open(("/proc/self/fd/" + std::to_string(memory.get())).c_str(), O_RDONLY | O_CLOEXEC));
    const auto tensor = std::make_unique<Tensor>(duplicate(readOnly.get()), wire::FdAttributes{0, 0, kDmaBuf});
    EXPECT_EQ(tensor->bind(kInput, instance, capabilities).method(), AccessMethod::DmaBuf);
    EXPECT_EQ(errorOf([&] { static_cast<void>(tensor->bind(kOutput, instance, capabilities)); }),
              kFdError +
                  "output tensor 0: not usable by DMABUF (its fd is open for reading only); the device can use "
                  "READWRITE|MAP|DMABUF");
}

TEST_F(NativeTensor, IsNoLongerThanItsBuffer) {
    EXPECT_EQ(errorOf([&] { static_cast<void>(tensorOf(kDmaBuf, 49)->bind(kInput, instance, capabilities)); }),
              kFdError +
                  "input tensor 0: not usable by DMABUF (the dma-buf has 64 bytes, 16 at offset 49 are needed); the "
                  "device can use READWRITE|MAP|DMABUF");
}

TEST_F(NativeTensor, ThatIsNoDmaBufIsUsedByTheOtherProperties) {
    kernel.filesAreDmaBufs = false;
    EXPECT_EQ(tensorOf(kDmaBuf | kMap)->bind(kInput, instance, capabilities).method(), AccessMethod::Map);
    EXPECT_EQ(tensorOf(kDmaBuf | kReadWrite)->bind(kInput, instance, capabilities).method(), AccessMethod::ReadWrite);
    EXPECT_EQ(errorOf([&] { static_cast<void>(tensorOf(kDmaBuf)->bind(kInput, instance, capabilities)); }),
              kFdError +
                  "input tensor 0: not usable by DMABUF (its fd is no dma-buf); the device can use "
                  "READWRITE|MAP|DMABUF");
    EXPECT_TRUE(native().taken.empty());
}

}  // namespace
}  // namespace larod::session
