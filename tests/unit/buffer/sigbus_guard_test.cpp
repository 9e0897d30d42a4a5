// SPDX-License-Identifier: Apache-2.0
// A SIGBUS that is none of ours ends the process, as it would without us.
#include "buffer/sigbus_guard.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <optional>

#include "unit/buffer/files.h"

namespace larod::buffer {
namespace {

void touchPastTheEnd() {
    const UniqueFd fd = test::patternFile(test::pageSize());
    void* memory = ::mmap(nullptr, test::pageSize(), PROT_READ, MAP_SHARED, fd.get(), 0);
    if (::ftruncate(fd.get(), 0) == 0) {
        static_cast<void>(*static_cast<volatile char*>(memory));
    }
}

TEST(SigbusGuard, LetsAForeignFaultKill) {
    EXPECT_EXIT(
        {
            sigbus_guard::install();
            touchPastTheEnd();
        },
        ::testing::KilledBySignal(SIGBUS), "");
}

TEST(SigbusGuard, LetsASentSignalKill) {
    EXPECT_EXIT(
        {
            sigbus_guard::install();
            ::kill(::getpid(), SIGBUS);
            ::pause();
        },
        ::testing::KilledBySignal(SIGBUS), "");
}

TEST(SigbusGuard, LetsAFaultInAFreedRangeKill) {
    EXPECT_EXIT(
        {
            sigbus_guard::install();
            const UniqueFd fd = test::patternFile(test::pageSize());
            void* memory = ::mmap(nullptr, test::pageSize(), PROT_READ, MAP_SHARED, fd.get(), 0);
            const auto slot = sigbus_guard::add(memory, test::pageSize());
            if (slot && ::ftruncate(fd.get(), 0) == 0) {
                sigbus_guard::remove(*slot);
                static_cast<void>(*static_cast<volatile char*>(memory));
            }
        },
        ::testing::KilledBySignal(SIGBUS), "");
}

TEST(SigbusGuard, ReplacesExactlyTheRange) {
    sigbus_guard::install();
    const size_t page = test::pageSize();
    const UniqueFd fd = test::patternFile(3 * page);
    void* memory = ::mmap(nullptr, 3 * page, PROT_READ, MAP_SHARED, fd.get(), 0);
    ASSERT_NE(memory, MAP_FAILED);
    const auto at = [memory](size_t place) { return std::byte{static_cast<volatile unsigned char*>(memory)[place]}; };
    const auto slot = sigbus_guard::add(static_cast<std::byte*>(memory) + page, 2 * page);
    ASSERT_TRUE(slot);
    EXPECT_FALSE(sigbus_guard::broken(*slot));
    ASSERT_EQ(::ftruncate(fd.get(), static_cast<off_t>(2 * page)), 0);
    EXPECT_EQ(at(3 * page - 1), std::byte{0});
    EXPECT_TRUE(sigbus_guard::broken(*slot));
    EXPECT_EQ(at(page), std::byte{0});
    EXPECT_EQ(at(page - 1), test::patternAt(page - 1)) << "the page before is not in the range";
    sigbus_guard::remove(*slot);
    ::munmap(memory, 3 * page);
}

TEST(SigbusGuard, StartsASlotUnbroken) {
    sigbus_guard::install();
    const size_t page = test::pageSize();
    std::optional<size_t> first;
    for (size_t i = 0; i < 2; ++i) {
        const UniqueFd fd = test::patternFile(page);
        void* memory = ::mmap(nullptr, page, PROT_READ, MAP_SHARED, fd.get(), 0);
        ASSERT_NE(memory, MAP_FAILED);
        const auto slot = sigbus_guard::add(memory, page);
        ASSERT_TRUE(slot);
        EXPECT_FALSE(sigbus_guard::broken(*slot));
        ASSERT_EQ(::ftruncate(fd.get(), 0), 0);
        static_cast<void>(*static_cast<volatile char*>(memory));
        EXPECT_TRUE(sigbus_guard::broken(*slot));
        EXPECT_EQ(first.value_or(*slot), *slot) << "the slot that was freed last is taken first";
        first = slot;
        sigbus_guard::remove(*slot);
        ::munmap(memory, page);
    }
}

}  // namespace
}  // namespace larod::buffer
