// SPDX-License-Identifier: Apache-2.0
// How a session gets at the bytes of a client's tensor (behaviour.md 5.2 to 5.5).
#include "session/tensor.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "unit/session/tensor_fixture.h"
#include "wire/channel.h"

namespace larod::session {
namespace {

using test::capable;
using test::duplicate;
using test::errorOf;
using test::File;
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
using test::writeOutput;

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

TEST_F(TensorTest, PlacesHaveNames) {
    EXPECT_EQ(placeText(kInput), "input tensor 0");
    EXPECT_EQ(placeText({Direction::Output, 11}), "output tensor 11");
}

}  // namespace
}  // namespace larod::session
