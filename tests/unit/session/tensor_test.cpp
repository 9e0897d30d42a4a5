// SPDX-License-Identifier: Apache-2.0
// How a session gets at the bytes of a client's tensor (behaviour.md 5.2 to 5.5).
#include "session/tensor.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/dma-buf.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "buffer/memfd.h"
#include "buffer/sigbus_guard.h"
#include "session/model.h"
#include "unit/buffer/fake_kernel.h"
#include "unit/session/fake_device.h"
#include "wire/channel.h"

namespace larod::session {
namespace {

using test::bytesSpec;
using test::errorOf;
using test::FakeModel;
using test::memoryOf;

constexpr uint32_t kMap = LAROD_FD_PROP_MAP;
constexpr uint32_t kReadWrite = LAROD_FD_PROP_READWRITE;
constexpr uint32_t kDmaBuf = LAROD_FD_PROP_DMABUF;
constexpr TensorPlace kInput{Direction::Input, 0};
constexpr TensorPlace kOutput{Direction::Output, 0};
const std::string kFdError = std::to_string(LAROD_ERROR_FD) + ": ";

std::string pattern(size_t length, char first = 'a') {
    std::string text(length, '\0');
    for (size_t i = 0; i < length; ++i) {
        text[i] = static_cast<char>(first + static_cast<char>(i % 26));
    }
    return text;
}

std::string textOf(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// A file on disk without a name, and further descriptors of it.
class File {
  public:
    explicit File(const std::string& content) {
        std::string path = std::filesystem::temp_directory_path() / "larod-tensor-XXXXXX";
        fd_.reset(::mkostemp(path.data(), O_CLOEXEC));
        ::unlink(path.c_str());
        write(0, content);
    }
    [[nodiscard]] UniqueFd open(int flags) const {
        return UniqueFd(::open(("/proc/self/fd/" + std::to_string(fd_.get())).c_str(), flags | O_CLOEXEC));
    }
    [[nodiscard]] int fd() const { return fd_.get(); }
    void write(off_t offset, const std::string& content) const {
        EXPECT_EQ(::pwrite(fd_.get(), content.data(), content.size(), offset), static_cast<ssize_t>(content.size()));
    }
    void resize(off_t length) const { EXPECT_EQ(::ftruncate(fd_.get(), length), 0); }
    [[nodiscard]] std::string content() const {
        std::string text(static_cast<size_t>(::lseek(fd_.get(), 0, SEEK_END)), '\0');
        EXPECT_EQ(::pread(fd_.get(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
        return text;
    }

  private:
    UniqueFd fd_;
};

UniqueFd duplicate(int fd) {
    return UniqueFd(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
}

// A device with the same fd properties in both directions.
device::Capabilities capable(uint32_t props) {
    return {props, props, props, props};
}

// A model of one input and one output of `bytes`.
std::shared_ptr<ModelInstance> makeInstance(size_t bytes, uint64_t modelId = 1) {
    return std::make_shared<ModelInstance>(
        modelId, nullptr, std::make_unique<FakeModel>(std::vector{bytesSpec(bytes)}, std::vector{bytesSpec(bytes)}));
}

size_t bindingsMade(const std::shared_ptr<ModelInstance>& instance) {
    return static_cast<FakeModel&>(instance->loaded()).bound;
}

// What an input looks like to the device.
std::string readInput(Tensor& tensor, const std::shared_ptr<ModelInstance>& instance, uint32_t deviceProps) {
    BoundTensor& bound = tensor.bind(kInput, instance, capable(deviceProps));
    bound.begin({});
    const std::string text = textOf(memoryOf(bound.binding()));
    bound.end({});
    return text;
}

void writeOutput(Tensor& tensor, const std::shared_ptr<ModelInstance>& instance, uint32_t deviceProps,
                 const std::string& text) {
    BoundTensor& bound = tensor.bind(kOutput, instance, capable(deviceProps));
    bound.begin({});
    std::memcpy(memoryOf(bound.binding()).data(), text.data(), text.size());
    bound.end({});
}

class TensorTest : public ::testing::Test {
  protected:
    static void SetUpTestSuite() { buffer::sigbus_guard::install(); }
    std::shared_ptr<ModelInstance> model = makeInstance(16);
};

TEST_F(TensorTest, IsMappedWhereBothSidesCan) {
    const File file(pattern(16));
    Tensor tensor(duplicate(file.fd()), {0, 0, kMap | kReadWrite});
    EXPECT_EQ(readInput(tensor, model, kMap | kReadWrite), pattern(16));
    EXPECT_EQ(tensor.bind(kInput, model, capable(kMap | kReadWrite)).method(), AccessMethod::Map);
}

TEST_F(TensorTest, IsReadAndWrittenWhereOneSideCannotMap) {
    const File file(pattern(16));
    Tensor readWrite(duplicate(file.fd()), {0, 0, kReadWrite});
    EXPECT_EQ(readInput(readWrite, model, kMap | kReadWrite), pattern(16));
    EXPECT_EQ(readWrite.bind(kInput, model, capable(kMap | kReadWrite)).method(), AccessMethod::ReadWrite);
    Tensor both(duplicate(file.fd()), {0, 0, kMap | kReadWrite});
    EXPECT_EQ(both.bind(kInput, model, capable(kReadWrite)).method(), AccessMethod::ReadWrite);
}

TEST_F(TensorTest, GivesTheSameResultsByBothMethods) {
    for (const uint32_t props : {kMap, kReadWrite}) {
        const File file(pattern(40));
        Tensor tensor(duplicate(file.fd()), {0, 8, props});
        EXPECT_EQ(readInput(tensor, model, props), pattern(40).substr(8, 16));
        writeOutput(tensor, model, props, pattern(16, 'A'));
        EXPECT_EQ(file.content(), pattern(40).replace(8, 16, pattern(16, 'A'))) << "outside the window nothing changes";
        EXPECT_EQ(readInput(tensor, model, props), pattern(16, 'A'));
    }
}

TEST_F(TensorTest, ReadsContentsAtEachJob) {
    for (const uint32_t props : {kMap, kReadWrite}) {
        const File file(pattern(16));
        Tensor tensor(duplicate(file.fd()), {0, 0, props});
        EXPECT_EQ(readInput(tensor, model, props), pattern(16));
        file.write(0, pattern(16, 'A'));
        EXPECT_EQ(readInput(tensor, model, props), pattern(16, 'A'));
    }
}

TEST_F(TensorTest, MapsAReadOnlyFdAsAnInput) {
    const File file(pattern(16));
    Tensor tensor(file.open(O_RDONLY), {0, 0, kMap});
    EXPECT_EQ(readInput(tensor, model, kMap), pattern(16));
}

TEST_F(TensorTest, RefusesAReadOnlyFdAsAnOutput) {
    const File file(pattern(16));
    Tensor mapOnly(file.open(O_RDONLY), {0, 0, kMap});
    EXPECT_EQ(errorOf([&] { writeOutput(mapOnly, model, kMap, pattern(16)); }).rfind(kFdError + "output tensor 0: ", 0),
              0U);
    Tensor both(file.open(O_RDONLY), {0, 0, kMap | kReadWrite});
    EXPECT_EQ(errorOf([&] {
                  writeOutput(both, model, kMap | kReadWrite, pattern(16));
              }).rfind(kFdError + "output tensor 0: could only write 0 out of 16 bytes", 0),
              0U);
}

TEST_F(TensorTest, WritesThroughAWriteOnlyFdWhichCannotBeMapped) {
    const File file(pattern(16));
    Tensor tensor(file.open(O_WRONLY), {0, 0, kMap | kReadWrite});
    writeOutput(tensor, model, kMap | kReadWrite, pattern(16, 'A'));
    EXPECT_EQ(tensor.bind(kOutput, model, capable(kMap | kReadWrite)).method(), AccessMethod::ReadWrite);
    EXPECT_EQ(file.content(), pattern(16, 'A'));
    Tensor mapOnly(file.open(O_WRONLY), {0, 0, kMap});
    EXPECT_EQ(errorOf([&] { writeOutput(mapOnly, model, kMap, pattern(16)); }).rfind(kFdError, 0), 0U);
    Tensor input(file.open(O_WRONLY), {0, 0, kMap | kReadWrite});
    EXPECT_EQ(errorOf([&] {
                  readInput(input, model, kMap | kReadWrite);
              }).rfind(kFdError + "input tensor 0: could only read 0 out of 16 bytes", 0),
              0U);
}

TEST_F(TensorTest, RefusesAShortInputByEachMethod) {
    const File file(pattern(15));
    Tensor mapped(duplicate(file.fd()), {0, 0, kMap});
    EXPECT_EQ(
        errorOf([&] { readInput(mapped, model, kMap); }),
        kFdError +
            "input tensor 0: not usable by MAP (the file has 15 bytes, 16 at offset 0 are needed); the device can "
            "use MAP");
    Tensor read(duplicate(file.fd()), {0, 0, kMap | kReadWrite});
    EXPECT_EQ(errorOf([&] { readInput(read, model, kMap | kReadWrite); }),
              kFdError + "input tensor 0: could only read 15 out of 16 bytes at offset 0");
}

TEST_F(TensorTest, AnOffsetCountsAgainstTheLength) {
    const File file(pattern(20));
    Tensor fits(duplicate(file.fd()), {0, 4, kMap});
    EXPECT_EQ(readInput(fits, model, kMap), pattern(20).substr(4));
    Tensor over(duplicate(file.fd()), {0, 5, kMap});
    EXPECT_EQ(errorOf([&] { readInput(over, model, kMap); }).rfind(kFdError, 0), 0U);
    Tensor beyond(duplicate(file.fd()), {0, 100, kMap | kReadWrite});
    EXPECT_EQ(errorOf([&] { readInput(beyond, model, kMap | kReadWrite); }).rfind(kFdError, 0), 0U);
}

TEST_F(TensorTest, AShortOutputCannotBeMappedAndIsNotExtendedForThat) {
    const File file(pattern(4));
    Tensor tensor(duplicate(file.fd()), {0, 0, kMap});
    EXPECT_EQ(errorOf([&] { writeOutput(tensor, model, kMap, pattern(16)); }),
              kFdError +
                  "output tensor 0: not usable by MAP (the file has 4 bytes, 16 at offset 0 are needed); the device "
                  "can use MAP");
    EXPECT_EQ(file.content(), pattern(4));
}

TEST_F(TensorTest, WritingExtendsAShortOutputAndLeavesTheRest) {
    const File empty("");
    Tensor tensor(duplicate(empty.fd()), {0, 3, kMap | kReadWrite});
    writeOutput(tensor, model, kMap | kReadWrite, pattern(16));
    EXPECT_EQ(empty.content(), std::string(3, '\0') + pattern(16));
    const File longer(pattern(100));
    Tensor inside(duplicate(longer.fd()), {0, 10, kReadWrite});
    writeOutput(inside, model, kReadWrite, pattern(16, 'A'));
    EXPECT_EQ(longer.content(), pattern(100).replace(10, 16, pattern(16, 'A'))) << "a file is never cut off";
}

TEST_F(TensorTest, AnyOffsetCanBeMapped) {
    const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
    const std::string content = pattern(2 * page + 64);
    const File file(content);
    for (const size_t offset : {size_t{1}, page - 1, page, page + 1, 2 * page - 8, 2 * page + 48}) {
        Tensor tensor(duplicate(file.fd()), {0, static_cast<int64_t>(offset), kMap});
        EXPECT_EQ(readInput(tensor, model, kMap), content.substr(offset, 16)) << offset;
    }
}

TEST_F(TensorTest, ThePositionStandsBehindTheDataAfterReadingAndWritingAndIsNeverUsed) {
    const File file(pattern(100));
    ::lseek(file.fd(), 77, SEEK_SET);
    Tensor read(duplicate(file.fd()), {0, 8, kReadWrite});  // shares the position
    EXPECT_EQ(readInput(read, model, kReadWrite), pattern(100).substr(8, 16));
    EXPECT_EQ(::lseek(file.fd(), 0, SEEK_CUR), 24);
    Tensor written(duplicate(file.fd()), {0, 2, kReadWrite});
    writeOutput(written, model, kReadWrite, pattern(16, 'A'));
    EXPECT_EQ(::lseek(file.fd(), 0, SEEK_CUR), 18);
}

TEST_F(TensorTest, ThePositionStaysWhereItIsWithMapping) {
    const File file(pattern(100));
    ::lseek(file.fd(), 77, SEEK_SET);
    Tensor tensor(duplicate(file.fd()), {0, 8, kMap});
    readInput(tensor, model, kMap);
    writeOutput(tensor, model, kMap, pattern(16, 'A'));
    EXPECT_EQ(::lseek(file.fd(), 0, SEEK_CUR), 77);
}

TEST_F(TensorTest, AnAbandonedJobWritesNothing) {
    const File file(pattern(16));
    Tensor tensor(duplicate(file.fd()), {0, 0, kReadWrite});
    BoundTensor& bound = tensor.bind(kOutput, model, capable(kReadWrite));
    bound.begin({});
    std::memset(memoryOf(bound.binding()).data(), 'X', 16);
    bound.abandon();
    EXPECT_EQ(file.content(), pattern(16));
}

TEST_F(TensorTest, AFdSizeOfZeroIsNoLimitAndAnyOtherCountsBytesAccessed) {
    const File file(pattern(100));
    const auto check = [&](uint64_t size, int64_t offset) {
        return errorOf([&] { Tensor(duplicate(file.fd()), {size, offset, kMap}).check(kInput, 16, capable(kMap)); });
    };
    EXPECT_EQ(check(0, 0), "");
    EXPECT_EQ(check(16, 0), "");
    EXPECT_EQ(check(16, 84), "") << "the size does not include the offset";
    EXPECT_EQ(check(17, 0), "");
    EXPECT_EQ(check(15, 0), kFdError + "input tensor 0: the model needs 16 bytes, but the fd size is 15");
}

TEST_F(TensorTest, AnOffsetIsInRange) {
    const File file(pattern(16));
    const auto check = [&](int64_t offset) {
        return errorOf([&] { Tensor(duplicate(file.fd()), {0, offset, kMap}).check(kInput, 16, capable(kMap)); });
    };
    EXPECT_EQ(check(INT64_MAX - 16), "");
    EXPECT_EQ(check(INT64_MAX - 15).rfind(kFdError + "input tensor 0: fd offset ", 0), 0U);
    EXPECT_EQ(check(-1), kFdError + "the fd offset is -1; it must not be negative");
}

TEST_F(TensorTest, NeedsAPropertyThatTheDeviceCanUse) {
    const File file(pattern(16));
    const auto check = [&](uint32_t props, uint32_t deviceProps) {
        return errorOf([&] { Tensor(duplicate(file.fd()), {0, 0, props}).check(kOutput, 16, capable(deviceProps)); });
    };
    EXPECT_EQ(check(kMap, kMap | kReadWrite), "");
    EXPECT_EQ(check(kMap | kDmaBuf, kMap | kReadWrite), "");
    EXPECT_EQ(check(kMap, kReadWrite),
              kFdError + "output tensor 0: its fd properties are MAP, the device can only use READWRITE");
    EXPECT_EQ(check(kDmaBuf, kMap | kReadWrite),
              kFdError + "output tensor 0: its fd properties are DMABUF, the device can only use READWRITE|MAP");
}

TEST_F(TensorTest, RefusesPropertiesThatAreNoneOrUnknown) {
    const File file(pattern(16));
    for (const uint32_t props : {0U, 8U, kMap | 16U, ~0U}) {
        EXPECT_EQ(errorOf([&] {
                      const Tensor tensor(duplicate(file.fd()), {0, 0, props});
                  }).rfind(kFdError + "the fd properties are ", 0),
                  0U)
            << props;
    }
}

TEST_F(TensorTest, RefusesWhatCanHoldNoTensor) {
    std::array<int, 2> pipe{};
    ASSERT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
    const UniqueFd readEnd(pipe[0]);
    const UniqueFd writeEnd(pipe[1]);
    const auto [socket, other] = wire::makeSocketPair();
    const UniqueFd directory(::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    for (const int fd : {readEnd.get(), writeEnd.get(), socket.get(), directory.get(), null.get()}) {
        EXPECT_EQ(errorOf([&] {
                      const Tensor tensor(duplicate(fd), {0, 0, kMap | kReadWrite});
                  }).rfind(kFdError + "the fd is neither a file", 0),
                  0U);
    }
    EXPECT_EQ(errorOf([] { const Tensor tensor(UniqueFd(), {0, 0, kMap}); }).rfind(kFdError, 0), 0U);
}

TEST_F(TensorTest, IsBoundOnceForAPlaceAndReused) {
    const File file(pattern(16));
    Tensor tensor(duplicate(file.fd()), {0, 0, kMap});
    BoundTensor& first = tensor.bind(kInput, model, capable(kMap));
    EXPECT_EQ(&tensor.bind(kInput, model, capable(kMap)), &first);
    EXPECT_EQ(bindingsMade(model), 1U);
    EXPECT_NE(&tensor.bind(kOutput, model, capable(kMap)), &first);
    EXPECT_EQ(&tensor.bind(kInput, model, capable(kMap)), &first) << "further bindings don't move it";
    EXPECT_EQ(bindingsMade(model), 2U);
}

TEST_F(TensorTest, ServesSeveralModelsThroughOneMapping) {
    const File file(pattern(16));
    const auto other = makeInstance(16, 2);
    Tensor tensor(duplicate(file.fd()), {0, 0, kMap});
    BoundTensor& first = tensor.bind(kOutput, model, capable(kMap));
    BoundTensor& second = tensor.bind(kInput, other, capable(kMap));
    EXPECT_NE(&first, &second);
    EXPECT_EQ(memoryOf(first.binding()).data(), memoryOf(second.binding()).data());
}

TEST_F(TensorTest, AMappingForReadingServesNoOutput) {
    const File file(pattern(16));
    Tensor tensor(duplicate(file.fd()), {0, 0, kMap});
    readInput(tensor, model, kMap);
    writeOutput(tensor, model, kMap, pattern(16, 'A'));  // a fault where the read-only mapping were used
    EXPECT_EQ(file.content(), pattern(16, 'A'));
}

TEST_F(TensorTest, ServesModelsOfOtherSizes) {
    const File file(pattern(16));
    const auto small = makeInstance(4, 2);
    Tensor tensor(duplicate(file.fd()), {0, 0, kMap});
    EXPECT_EQ(readInput(tensor, model, kMap), pattern(16));
    EXPECT_EQ(readInput(tensor, small, kMap), pattern(4));
}

TEST_F(TensorTest, UnbindForgetsOneModelAndLetsItGo) {
    const File file(pattern(16));
    auto other = makeInstance(16, 2);
    Tensor tensor(duplicate(file.fd()), {0, 0, kMap});
    BoundTensor& kept = tensor.bind(kInput, model, capable(kMap));
    static_cast<void>(tensor.bind(kInput, other, capable(kMap)));
    const std::weak_ptr<ModelInstance> gone = other;
    other.reset();
    EXPECT_FALSE(gone.expired()) << "a binding keeps its model";
    tensor.unbind(2);
    EXPECT_TRUE(gone.expired());
    EXPECT_EQ(&tensor.bind(kInput, model, capable(kMap)), &kept);
    EXPECT_EQ(bindingsMade(model), 1U);
}

TEST_F(TensorTest, AFileThatIsCutOffUnderItsMappingFailsTheJobAndIsMappedAgainWhenItsLengthIsBack) {
    const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
    const auto large = makeInstance(2 * page);
    const File file(pattern(2 * page));
    Tensor tensor(duplicate(file.fd()), {0, 0, kMap});
    BoundTensor& bound = tensor.bind(kInput, large, capable(kMap));
    bound.begin({});
    file.resize(0);
    const std::string seen = textOf(memoryOf(bound.binding()));  // faults, and goes on
    EXPECT_EQ(seen.size(), 2 * page);
    EXPECT_EQ(errorOf([&] { bound.end({}); }), kFdError + "input tensor 0: its file was cut off while the job used it");

    EXPECT_EQ(errorOf([&] { readInput(tensor, large, kMap); }).rfind(kFdError, 0), 0U) << "still too short";
    file.write(0, pattern(2 * page, 'A'));
    EXPECT_EQ(readInput(tensor, large, kMap), pattern(2 * page, 'A'));
}

TEST_F(TensorTest, AFileThatIsCutOffWithinItsLastPageFailsWithATrackedTensorAsWithANewOne) {
    const File file(pattern(16));
    Tensor tensor(duplicate(file.fd()), {0, 0, kMap});
    EXPECT_EQ(readInput(tensor, model, kMap), pattern(16));
    file.resize(15);  // no fault: the page is still there
    EXPECT_EQ(
        errorOf([&] { readInput(tensor, model, kMap); }),
        kFdError +
            "input tensor 0: not usable by MAP (the file has 15 bytes, 16 at offset 0 are needed); the device can "
            "use MAP");
    file.write(0, pattern(16, 'A'));
    EXPECT_EQ(readInput(tensor, model, kMap), pattern(16, 'A'));
}

TEST_F(TensorTest, AnOutputThatIsCutOffBetweenJobsIsWrittenWhereThatIsAllowed) {
    const File file(pattern(16));
    Tensor tensor(duplicate(file.fd()), {0, 0, kMap | kReadWrite});
    writeOutput(tensor, model, kMap | kReadWrite, pattern(16, 'A'));
    file.resize(0);
    writeOutput(tensor, model, kMap | kReadWrite, pattern(16, 'B'));
    EXPECT_EQ(file.content(), pattern(16, 'B'));
}

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
        return std::make_unique<test::FakeBinding>(memory);
    }
    std::unique_ptr<device::Binding> bindDmaBuf(Direction, size_t, const device::DmaBuf& buffer) override {
        if (!refusal.empty()) {
            throw Error(refusalCode, "{}", refusal);
        }
        taken.push_back(buffer);
        return std::make_unique<test::FakeBinding>(std::span<std::byte>());
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

TEST_F(TensorTest, PlacesHaveNames) {
    EXPECT_EQ(placeText(kInput), "input tensor 0");
    EXPECT_EQ(placeText({Direction::Output, 11}), "output tensor 11");
}

}  // namespace
}  // namespace larod::session
