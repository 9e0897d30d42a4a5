// SPDX-License-Identifier: Apache-2.0
#include "buffer/mapping.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <limits>
#include <memory>
#include <thread>

#include "base/error.h"
#include "buffer/sigbus_guard.h"
#include "unit/buffer/files.h"
#include "unit/open_fds.h"

namespace larod::buffer {
namespace {

using test::pageSize;
using test::patternAt;
using test::patternFile;

class MappingTest : public ::testing::Test {
  protected:
    static void SetUpTestSuite() { sigbus_guard::install(); }
};

// Reads past the window without the compiler knowing where it ends.
std::byte readAt(const std::byte* place) {
    return *static_cast<const volatile std::byte*>(place);
}

void writeAt(std::byte* place, std::byte value) {
    *static_cast<volatile std::byte*>(place) = value;
}

int errorCode(int fd, uint64_t offset, size_t length, MapAccess access) {
    try {
        const Mapping mapping(fd, offset, length, access);
    } catch (const Error& error) {
        EXPECT_FALSE(error.text().empty());
        return error.code();
    }
    return 0;
}

TEST_F(MappingTest, ShowsTheFileAtAnyOffset) {
    const UniqueFd fd = patternFile(3 * pageSize());
    for (const size_t offset : {size_t{0}, size_t{1}, pageSize() - 1, pageSize(), pageSize() + 1}) {
        for (const size_t length : {size_t{1}, size_t{100}, pageSize(), pageSize() + 1}) {
            const Mapping mapping(fd.get(), offset, length, MapAccess::Read);
            ASSERT_EQ(mapping.bytes().size(), length);
            for (size_t i = 0; i < length; ++i) {
                ASSERT_EQ(mapping.bytes()[i], patternAt(offset + i)) << "offset " << offset << ", byte " << i;
            }
            EXPECT_FALSE(mapping.broken());
        }
    }
}

TEST_F(MappingTest, WritesReachTheFileAtAnyOffset) {
    for (const size_t offset : {size_t{0}, size_t{1}, pageSize() - 1, pageSize(), pageSize() + 1}) {
        const UniqueFd fd = patternFile(3 * pageSize());
        {
            const Mapping mapping(fd.get(), offset, 2, MapAccess::ReadWrite);
            mapping.bytes()[0] = std::byte{0xfe};
            mapping.bytes()[1] = std::byte{0xff};
        }
        std::array<std::byte, 4> read{};
        const size_t from = offset == 0 ? 0 : offset - 1;
        ASSERT_EQ(::pread(fd.get(), read.data(), read.size(), static_cast<off_t>(from)), 4);
        EXPECT_EQ(read[offset - from], std::byte{0xfe});
        EXPECT_EQ(read[offset - from + 1], std::byte{0xff});
        EXPECT_EQ(read[offset - from + 2], patternAt(offset + 2)) << "what stands behind the window is untouched";
        if (offset > 0) {
            EXPECT_EQ(read[0], patternAt(offset - 1)) << "and what stands before it";
        }
    }
}

TEST_F(MappingTest, IsSharedWithTheFile) {
    const UniqueFd fd = patternFile(100);
    const Mapping mapping(fd.get(), 0, 100, MapAccess::Read);
    const std::byte changed{0xfd};
    ASSERT_EQ(::pwrite(fd.get(), &changed, 1, 50), 1);
    EXPECT_EQ(mapping.bytes()[50], changed);
}

TEST_F(MappingTest, HasAReadablePageBehindTheWindow) {
    struct Case {
        size_t fileSize;
        size_t offset;
        size_t length;
    };
    const size_t page = pageSize();
    const Case cases[] = {
        {2 * page, 0, 2 * page},      // ends with the file and with a page
        {page + 100, 0, page + 100},  // ends with the file inside of a page
        {3 * page, page, page},       // ends with a page, and the file goes on
        {page, 1, page - 1},          // an offset, and the end of file and page
        {page, page - 1, 1},
    };
    for (const Case& window : cases) {
        const UniqueFd fd = patternFile(window.fileSize);
        const Mapping mapping(fd.get(), window.offset, window.length, MapAccess::Read);
        const std::byte* end = mapping.bytes().data() + mapping.bytes().size();
        for (size_t i = 0; i < page; i += 64) {
            readAt(end + i);
        }
        readAt(end + page - 1);
        EXPECT_FALSE(mapping.broken()) << "no fault: the page is there";
    }
}

TEST_F(MappingTest, OfAReadOnlyFdIsForReadingOnly) {
    const UniqueFd writable = patternFile(100);
    const std::string path = "/proc/self/fd/" + std::to_string(writable.get());
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    ASSERT_TRUE(fd);
    EXPECT_EQ(errorCode(fd.get(), 0, 100, MapAccess::Read), 0);
    EXPECT_EQ(errorCode(fd.get(), 0, 100, MapAccess::ReadWrite), LAROD_ERROR_FD);
}

TEST_F(MappingTest, ForReadingCantBeWritten) {
    const UniqueFd fd = patternFile(100);
    EXPECT_EXIT(
        {
            const Mapping mapping(fd.get(), 0, 100, MapAccess::Read);
            ::signal(SIGSEGV, SIG_DFL);
            writeAt(mapping.bytes().data(), std::byte{1});
        },
        ::testing::KilledBySignal(SIGSEGV), "");
}

TEST_F(MappingTest, IsRefusedWithoutLeavingAnything) {
    const UniqueFd fd = patternFile(100);
    std::array<int, 2> pipe{};
    ASSERT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
    const UniqueFd readEnd(pipe[0]);
    const UniqueFd writeEnd(pipe[1]);
    const size_t before = larod::test::countOpenFds();
    EXPECT_EQ(errorCode(readEnd.get(), 0, 100, MapAccess::Read), LAROD_ERROR_FD);
    EXPECT_EQ(errorCode(-1, 0, 100, MapAccess::Read), LAROD_ERROR_FD);
    EXPECT_EQ(errorCode(fd.get(), 0, 0, MapAccess::Read), LAROD_ERROR_FD);
    constexpr auto kHuge = std::numeric_limits<size_t>::max();
    EXPECT_EQ(errorCode(fd.get(), 0, kHuge, MapAccess::Read), LAROD_ERROR_FD);
    EXPECT_EQ(errorCode(fd.get(), 1, kHuge, MapAccess::Read), LAROD_ERROR_FD);
    EXPECT_EQ(errorCode(fd.get(), 0, kHuge - 2 * pageSize(), MapAccess::Read), LAROD_ERROR_FD);
    EXPECT_EQ(errorCode(fd.get(), std::numeric_limits<uint64_t>::max(), 1, MapAccess::Read), LAROD_ERROR_FD);
    EXPECT_EQ(errorCode(fd.get(), uint64_t{1} << 63, 1, MapAccess::Read), LAROD_ERROR_FD);
    // Every refusal gave its slot and addresses back, or these would run out.
    for (size_t i = 0; i < sigbus_guard::kSlots + 10; ++i) {
        ASSERT_EQ(errorCode(readEnd.get(), 0, 100, MapAccess::Read), LAROD_ERROR_FD);
    }
    EXPECT_EQ(errorCode(fd.get(), 0, 100, MapAccess::Read), 0);
    EXPECT_EQ(larod::test::countOpenFds(), before);
}

TEST_F(MappingTest, SurvivesItsFdAndHoldsNone) {
    UniqueFd fd = patternFile(100);
    const size_t before = larod::test::countOpenFds();
    const Mapping mapping(fd.get(), 0, 100, MapAccess::Read);
    EXPECT_EQ(larod::test::countOpenFds(), before);
    fd.reset();
    EXPECT_EQ(mapping.bytes()[99], patternAt(99));
}

TEST_F(MappingTest, SurvivesATruncationAsZeros) {
    const size_t page = pageSize();
    const UniqueFd fd = patternFile(4 * page);
    const Mapping mapping(fd.get(), 1, 4 * page - 1, MapAccess::Read);
    EXPECT_EQ(readAt(&mapping.bytes()[3 * page]), patternAt(3 * page + 1));
    ASSERT_EQ(::ftruncate(fd.get(), static_cast<off_t>(page)), 0);
    EXPECT_FALSE(mapping.broken()) << "nothing was touched yet";
    EXPECT_EQ(readAt(&mapping.bytes()[2 * page]), std::byte{0});
    EXPECT_TRUE(mapping.broken());
    EXPECT_EQ(readAt(&mapping.bytes()[10]), std::byte{0}) << "the whole mapping, not a mix of file and zeros";
    readAt(mapping.bytes().data() + mapping.bytes().size() + page - 1);
    ASSERT_EQ(::ftruncate(fd.get(), static_cast<off_t>(4 * page)), 0);
    EXPECT_TRUE(mapping.broken()) << "stays so";
    const Mapping again(fd.get(), 0, 4 * page, MapAccess::Read);
    EXPECT_FALSE(again.broken());
    EXPECT_EQ(readAt(&again.bytes()[page - 1]), patternAt(page - 1));
}

TEST_F(MappingTest, SurvivesATruncationWhileItIsWritten) {
    const size_t page = pageSize();
    const UniqueFd fd = patternFile(2 * page);
    const Mapping mapping(fd.get(), 0, 2 * page, MapAccess::ReadWrite);
    ASSERT_EQ(::ftruncate(fd.get(), 0), 0);
    writeAt(&mapping.bytes()[page], std::byte{9});
    EXPECT_TRUE(mapping.broken());
    EXPECT_EQ(readAt(&mapping.bytes()[page]), std::byte{9}) << "the write that faulted is repeated";
}

TEST_F(MappingTest, BreaksNoOtherMapping) {
    const size_t page = pageSize();
    const UniqueFd cut = patternFile(page);
    const UniqueFd whole = patternFile(page);
    const Mapping before(whole.get(), 0, page, MapAccess::Read);
    const Mapping mapping(cut.get(), 0, page, MapAccess::Read);
    const Mapping after(whole.get(), 0, page, MapAccess::Read);
    ASSERT_EQ(::ftruncate(cut.get(), 0), 0);
    EXPECT_EQ(readAt(mapping.bytes().data()), std::byte{0});
    EXPECT_TRUE(mapping.broken());
    EXPECT_FALSE(before.broken());
    EXPECT_FALSE(after.broken());
    for (size_t i = 0; i < page; ++i) {
        ASSERT_EQ(before.bytes()[i], patternAt(i));
        ASSERT_EQ(after.bytes()[i], patternAt(i));
    }
}

TEST_F(MappingTest, SurvivesATruncationInAnotherThread) {
    const size_t page = pageSize();
    const UniqueFd fd = patternFile(2 * page);
    const Mapping mapping(fd.get(), 0, 2 * page, MapAccess::Read);
    ASSERT_EQ(::ftruncate(fd.get(), 0), 0);
    std::thread reader([&] { EXPECT_EQ(readAt(&mapping.bytes()[page]), std::byte{0}); });
    reader.join();
    EXPECT_TRUE(mapping.broken());
}

TEST_F(MappingTest, SurvivesTruncationsWhileOthersMapAndUnmap) {
    const size_t page = pageSize();
    const UniqueFd whole = patternFile(page);
    std::atomic<bool> done{false};
    std::thread other([&] {
        while (!done.load(std::memory_order_relaxed)) {
            const Mapping mapping(whole.get(), 0, page, MapAccess::Read);
            EXPECT_EQ(readAt(&mapping.bytes()[7]), patternAt(7));
            EXPECT_FALSE(mapping.broken());
        }
    });
    for (int i = 0; i < 300; ++i) {
        const UniqueFd cut = patternFile(page);
        const Mapping mapping(cut.get(), 0, page, MapAccess::Read);
        EXPECT_EQ(::ftruncate(cut.get(), 0), 0);
        EXPECT_EQ(readAt(mapping.bytes().data()), std::byte{0});
        EXPECT_TRUE(mapping.broken());
    }
    done = true;
    other.join();
}

TEST_F(MappingTest, GivesItsSlotBack) {
    const UniqueFd fd = patternFile(1);
    for (size_t i = 0; i < 2 * sigbus_guard::kSlots + 1; ++i) {
        const Mapping mapping(fd.get(), 0, 1, MapAccess::Read);
        ASSERT_FALSE(mapping.broken());
    }
}

TEST_F(MappingTest, HasAsManyAsThereAreSlotsAndNoMore) {
    const UniqueFd fd = patternFile(1);
    std::vector<std::unique_ptr<Mapping>> mappings;
    for (size_t i = 0; i < sigbus_guard::kSlots; ++i) {
        mappings.push_back(std::make_unique<Mapping>(fd.get(), 0, 1, MapAccess::Read));
    }
    EXPECT_EQ(errorCode(fd.get(), 0, 1, MapAccess::Read), LAROD_ERROR_FD);
    mappings.erase(mappings.begin() + 1000);
    EXPECT_EQ(errorCode(fd.get(), 0, 1, MapAccess::Read), 0);
}

}  // namespace
}  // namespace larod::buffer
