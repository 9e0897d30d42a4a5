// SPDX-License-Identifier: Apache-2.0
#include "buffer/file_identity.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <memory>

#include "base/error.h"
#include "unit/buffer/files.h"

namespace larod::buffer {
namespace {

TEST(FileStatus, TellsTheLengthOfAMemfd) {
    const UniqueFd fd = test::patternFile(1234);
    const FileStatus status = fileStatus(fd.get());
    EXPECT_EQ(status.kind, FileKind::Mappable);
    EXPECT_EQ(status.length, 1234U);
    ASSERT_EQ(::ftruncate(fd.get(), 0), 0);
    EXPECT_EQ(fileStatus(fd.get()).kind, FileKind::Mappable) << "empty, but a file";
    EXPECT_EQ(fileStatus(fd.get()).length, 0U);
}

TEST(FileStatus, TellsTheLengthOfAFile) {
    const std::unique_ptr<FILE, int (*)(FILE*)> file(std::tmpfile(), std::fclose);
    ASSERT_NE(file, nullptr);
    const int fd = ::fileno(file.get());
    ASSERT_EQ(::pwrite(fd, "12345", 5, 0), 5);
    const FileStatus status = fileStatus(fd);
    EXPECT_EQ(status.kind, FileKind::Mappable);
    EXPECT_EQ(status.length, 5U);
}

TEST(FileStatus, LeavesTheFilePosition) {
    const UniqueFd fd = test::patternFile(100);
    ASSERT_EQ(::lseek(fd.get(), 42, SEEK_SET), 42);
    static_cast<void>(fileStatus(fd.get()));
    EXPECT_EQ(::lseek(fd.get(), 0, SEEK_CUR), 42);
    const UniqueFd empty = test::patternFile(0);
    ASSERT_EQ(::lseek(empty.get(), 42, SEEK_SET), 42);
    static_cast<void>(fileStatus(empty.get()));
    EXPECT_EQ(::lseek(empty.get(), 0, SEEK_CUR), 42);
}

TEST(FileStatus, IdentifiesTheFileAndNotTheNumber) {
    const UniqueFd fd = test::patternFile(100);
    const UniqueFd same(::dup(fd.get()));
    const UniqueFd other = test::patternFile(100);
    EXPECT_EQ(fileStatus(fd.get()).identity, fileStatus(same.get()).identity);
    EXPECT_FALSE(fileStatus(fd.get()).identity == fileStatus(other.get()).identity);
    const UniqueFd reopened(::open(("/proc/self/fd/" + std::to_string(fd.get())).c_str(), O_RDONLY | O_CLOEXEC));
    EXPECT_EQ(fileStatus(fd.get()).identity, fileStatus(reopened.get()).identity);
}

TEST(FileStatus, FindsNothingToMapInPipesSocketsFoldersAndDevices) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    const UniqueFd readEnd(ends[0]);
    const UniqueFd writeEnd(ends[1]);
    EXPECT_EQ(fileStatus(readEnd.get()).kind, FileKind::Other);
    EXPECT_EQ(fileStatus(writeEnd.get()).kind, FileKind::Other);
    const UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(fileStatus(socket.get()).kind, FileKind::Other);
    const UniqueFd folder(::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    EXPECT_EQ(fileStatus(folder.get()).kind, FileKind::Other);
    const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    EXPECT_EQ(fileStatus(null.get()).kind, FileKind::Other);
}

TEST(FileStatus, RefusesWhatIsNotOpen) {
    const int closed = UniqueFd(::open("/dev/null", O_RDWR | O_CLOEXEC)).get();  // the temporary closed it again
    for (const int fd : {closed, -1}) {
        try {
            static_cast<void>(fileStatus(fd));
            FAIL() << fd;
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), LAROD_ERROR_FD);
            EXPECT_NE(error.text().find("Bad file descriptor"), std::string::npos) << error.text();
        }
    }
}

}  // namespace
}  // namespace larod::buffer
