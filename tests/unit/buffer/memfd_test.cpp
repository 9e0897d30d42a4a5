// SPDX-License-Identifier: Apache-2.0
#include "buffer/memfd.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <limits>

#include "base/error.h"
#include "unit/open_fds.h"

namespace larod::buffer {
namespace {

TEST(SealedMemfd, HasItsSizeAndZeros) {
    const UniqueFd fd = makeSealedMemfd("test", 10'000);
    struct stat status = {};
    ASSERT_EQ(::fstat(fd.get(), &status), 0);
    EXPECT_EQ(status.st_size, 10'000);
    EXPECT_EQ(status.st_blocks, 0) << "no page is taken before it is touched";
    std::array<char, 16> read{};
    read.fill('x');
    ASSERT_EQ(::pread(fd.get(), read.data(), read.size(), 10'000 - 16), 16);
    EXPECT_EQ(read, (std::array<char, 16>{}));
    EXPECT_EQ(::fcntl(fd.get(), F_GETFD), FD_CLOEXEC);
}

TEST(SealedMemfd, NeitherGrowsNorShrinksAndCanBeWritten) {
    const UniqueFd fd = makeSealedMemfd("test", 10'000);
    EXPECT_EQ(::fcntl(fd.get(), F_GET_SEALS) & (F_SEAL_GROW | F_SEAL_SHRINK), F_SEAL_GROW | F_SEAL_SHRINK);
    EXPECT_EQ(::ftruncate(fd.get(), 9'999), -1);
    EXPECT_EQ(errno, EPERM);
    EXPECT_EQ(::ftruncate(fd.get(), 10'001), -1);
    EXPECT_EQ(::ftruncate(fd.get(), 10'000), 0);
    EXPECT_EQ(::pwrite(fd.get(), "end", 3, 9'997), 3);
    EXPECT_EQ(::pwrite(fd.get(), "end", 3, 10'000), -1);
}

TEST(SealedMemfd, MayBeEmpty) {
    const UniqueFd fd = makeSealedMemfd("test", 0);
    EXPECT_EQ(::ftruncate(fd.get(), 1), -1);
}

TEST(SealedMemfd, RefusesSizesThatNoFileHas) {
    const size_t before = larod::test::countOpenFds();
    for (const uint64_t size : {std::numeric_limits<uint64_t>::max(), uint64_t{1} << 63}) {
        try {
            static_cast<void>(makeSealedMemfd("test", size));
            FAIL() << size;
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), LAROD_ERROR_ALLOC);
            EXPECT_NE(error.text().find(std::to_string(size)), std::string::npos) << error.text();
        }
    }
    EXPECT_EQ(larod::test::countOpenFds(), before);
}

}  // namespace
}  // namespace larod::buffer
