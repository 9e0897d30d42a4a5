// SPDX-License-Identifier: Apache-2.0
// Every START gets its END, with an ioctl of our own that records and answers.
#include "buffer/dma_buf_sync.h"

#include <gtest/gtest.h>
#include <linux/dma-buf.h>

#include <cerrno>
#include <stdexcept>
#include <utility>
#include <vector>

#include "base/error.h"
#include "unit/buffer/fake_kernel.h"
#include "unit/buffer/files.h"

namespace larod::buffer {
namespace {

using Call = test::SyncCall;

constexpr uint64_t kRead = DMA_BUF_SYNC_READ;
constexpr uint64_t kWrite = DMA_BUF_SYNC_WRITE;
constexpr uint64_t kEnd = DMA_BUF_SYNC_END;

class DmaBufSyncTest : public ::testing::Test {
  protected:
    test::FakeKernel kernel_;
};

// The code of the error that `function` throws.
template <typename Function>
int codeOf(Function&& function) {
    try {
        function();
    } catch (const Error& error) {
        EXPECT_NE(error.text().find("dma-buf"), std::string::npos) << error.text();
        return error.code();
    }
    return 0;
}

TEST_F(DmaBufSyncTest, StartsAndEndsWithTheSameDirection) {
    for (const auto& [access, direction] : {std::pair(CpuAccess::Read, kRead), std::pair(CpuAccess::Write, kWrite)}) {
        kernel_.done.clear();
        DmaBufSync sync;
        ASSERT_EQ(sync.begin(7, access), DmaBufSync::Begun::Yes);
        EXPECT_EQ(kernel_.done, (std::vector<Call>{{7, direction}}));
        sync.end();
        EXPECT_EQ(kernel_.done, (std::vector<Call>{{7, direction}, {7, kEnd | direction}}));
    }
}

TEST_F(DmaBufSyncTest, EndsOnce) {
    {
        DmaBufSync sync;
        ASSERT_EQ(sync.begin(7, CpuAccess::Read), DmaBufSync::Begun::Yes);
        sync.end();
        sync.end();
    }
    EXPECT_EQ(kernel_.done.size(), 2U);
}

TEST_F(DmaBufSyncTest, DoesNothingWhereNothingWasBegun) {
    {
        DmaBufSync sync;
        sync.end();
        DmaBufSync moved(std::move(sync));
    }
    EXPECT_EQ(kernel_.asked, 0U);
}

TEST_F(DmaBufSyncTest, EndsAtTheEndOfItsScope) {
    {
        DmaBufSync sync;
        ASSERT_EQ(sync.begin(7, CpuAccess::Write), DmaBufSync::Begun::Yes);
    }
    EXPECT_EQ(kernel_.done, (std::vector<Call>{{7, kWrite}, {7, kEnd | kWrite}}));
}

TEST_F(DmaBufSyncTest, EndsWhereTheJobThrows) {
    EXPECT_THROW(
        {
            DmaBufSync sync;
            static_cast<void>(sync.begin(7, CpuAccess::Read));
            throw std::runtime_error("the job failed");
        },
        std::runtime_error);
    EXPECT_EQ(kernel_.done, (std::vector<Call>{{7, kRead}, {7, kEnd | kRead}}));
}

TEST_F(DmaBufSyncTest, EndsTheFirstWhereTheSecondCantBegin) {
    kernel_.errors = {0, EINVAL};
    EXPECT_EQ(codeOf([] {
                  DmaBufSync first;
                  DmaBufSync second;
                  static_cast<void>(first.begin(7, CpuAccess::Read));
                  static_cast<void>(second.begin(8, CpuAccess::Write));
              }),
              LAROD_ERROR_FD);
    EXPECT_EQ(kernel_.done, (std::vector<Call>{{7, kRead}, {7, kEnd | kRead}}));
}

TEST_F(DmaBufSyncTest, CanBeginAgainAfterItsEnd) {
    DmaBufSync sync;
    ASSERT_EQ(sync.begin(7, CpuAccess::Read), DmaBufSync::Begun::Yes);
    sync.end();
    ASSERT_EQ(sync.begin(8, CpuAccess::Write), DmaBufSync::Begun::Yes);
    sync.end();
    EXPECT_EQ(kernel_.done, (std::vector<Call>{{7, kRead}, {7, kEnd | kRead}, {8, kWrite}, {8, kEnd | kWrite}}));
}

TEST_F(DmaBufSyncTest, MovesTheDutyToEnd) {
    {
        DmaBufSync from;
        ASSERT_EQ(from.begin(7, CpuAccess::Write), DmaBufSync::Begun::Yes);
        DmaBufSync to(std::move(from));
        from.end();  // NOLINT(bugprone-use-after-move): that it has nothing to end is the point
        EXPECT_EQ(kernel_.done.size(), 1U);
    }
    EXPECT_EQ(kernel_.done, (std::vector<Call>{{7, kWrite}, {7, kEnd | kWrite}}));
}

TEST_F(DmaBufSyncTest, AssignmentEndsWhatWasOpen) {
    {
        DmaBufSync held;
        ASSERT_EQ(held.begin(7, CpuAccess::Read), DmaBufSync::Begun::Yes);
        DmaBufSync other;
        ASSERT_EQ(other.begin(8, CpuAccess::Write), DmaBufSync::Begun::Yes);
        held = std::move(other);
        EXPECT_EQ(kernel_.done, (std::vector<Call>{{7, kRead}, {8, kWrite}, {7, kEnd | kRead}}));
        DmaBufSync& same = held;
        held = std::move(same);
        EXPECT_EQ(kernel_.done.size(), 3U);
    }
    EXPECT_EQ(kernel_.done.back(), (Call{8, kEnd | kWrite}));
    EXPECT_EQ(kernel_.done.size(), 4U);
}

TEST_F(DmaBufSyncTest, RepeatsInterruptedCallsWithoutLimit) {
    kernel_.errors.assign(5000, EINTR);
    DmaBufSync sync;
    EXPECT_EQ(sync.begin(7, CpuAccess::Read), DmaBufSync::Begun::Yes);
    kernel_.errors.assign(5000, EINTR);
    sync.end();
    EXPECT_EQ(kernel_.asked, 10'002U);
    EXPECT_EQ(kernel_.done, (std::vector<Call>{{7, kRead}, {7, kEnd | kRead}}));
}

TEST_F(DmaBufSyncTest, RepeatsABusyStartSomeHundredTimes) {
    kernel_.errors.assign(499, EAGAIN);
    DmaBufSync sync;
    EXPECT_EQ(sync.begin(7, CpuAccess::Read), DmaBufSync::Begun::Yes);
    sync.end();
    kernel_.errors.assign(500, EAGAIN);
    EXPECT_EQ(codeOf([&] { static_cast<void>(sync.begin(7, CpuAccess::Read)); }), LAROD_ERROR_FD);
    EXPECT_TRUE(kernel_.errors.empty());
}

TEST_F(DmaBufSyncTest, RepeatsABusyEndSomeHundredTimes) {
    DmaBufSync sync;
    ASSERT_EQ(sync.begin(7, CpuAccess::Write), DmaBufSync::Begun::Yes);
    kernel_.errors.assign(499, EAGAIN);
    EXPECT_EQ(codeOf([&] { sync.end(); }), 0);
    ASSERT_EQ(sync.begin(7, CpuAccess::Write), DmaBufSync::Begun::Yes);
    kernel_.errors.assign(500, EAGAIN);
    EXPECT_EQ(codeOf([&] { sync.end(); }), LAROD_ERROR_JOB);
    EXPECT_TRUE(kernel_.errors.empty());
}

TEST_F(DmaBufSyncTest, TellsAFailedEndAndIsClosedAllTheSame) {
    {
        DmaBufSync sync;
        ASSERT_EQ(sync.begin(7, CpuAccess::Write), DmaBufSync::Begun::Yes);
        kernel_.errors = {EIO};
        EXPECT_EQ(codeOf([&] { sync.end(); }), LAROD_ERROR_JOB);
    }
    EXPECT_EQ(kernel_.asked, 2U) << "the destructor does not try once more";
}

TEST_F(DmaBufSyncTest, SwallowsAFailedEndInItsDestructor) {
    {
        DmaBufSync sync;
        ASSERT_EQ(sync.begin(7, CpuAccess::Write), DmaBufSync::Begun::Yes);
        kernel_.errors = {EINTR, EIO};
    }
    EXPECT_EQ(kernel_.asked, 3U);
}

TEST_F(DmaBufSyncTest, HasNothingToEndWhereTheStartFailed) {
    for (const int error : {ENOTTY, EINVAL}) {
        kernel_.asked = 0;
        kernel_.errors = {error};
        DmaBufSync sync;
        if (error == ENOTTY) {
            EXPECT_EQ(sync.begin(7, CpuAccess::Read), DmaBufSync::Begun::NotADmaBuf);
        } else {
            EXPECT_EQ(codeOf([&] { static_cast<void>(sync.begin(7, CpuAccess::Read)); }), LAROD_ERROR_FD);
        }
        sync.end();
        EXPECT_EQ(kernel_.asked, 1U);
    }
    EXPECT_TRUE(kernel_.done.empty());
}

TEST(DmaBufSyncOfTheKernel, FindsThatAMemfdIsNoDmaBuf) {
    const UniqueFd fd = test::patternFile(100);
    DmaBufSync sync;
    EXPECT_EQ(sync.begin(fd.get(), CpuAccess::Read), DmaBufSync::Begun::NotADmaBuf);
    EXPECT_EQ(sync.begin(fd.get(), CpuAccess::Write), DmaBufSync::Begun::NotADmaBuf);
    sync.end();
}

TEST(DmaBufSyncOfTheKernel, RefusesAnFdThatIsNotOpen) {
    DmaBufSync sync;
    EXPECT_EQ(codeOf([&] { static_cast<void>(sync.begin(-1, CpuAccess::Read)); }), LAROD_ERROR_FD);
}

}  // namespace
}  // namespace larod::buffer
