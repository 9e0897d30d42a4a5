// SPDX-License-Identifier: Apache-2.0
// larod-dma-buf.h: each access of the CPU is bracketed, with an ioctl of our own that records and answers.
#include <gtest/gtest.h>
#include <linux/dma-buf.h>

#include <cerrno>
#include <deque>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "base/unique_fd.h"
#include "larod-dma-buf.h"
#include "unit/buffer/fake_kernel.h"
#include "unit/buffer/files.h"
#include "unit/include/one_tensor.h"

namespace larod {
namespace {

using buffer::test::FakeKernel;
using buffer::test::patternFile;
using Calls = std::vector<buffer::test::SyncCall>;

constexpr size_t kSize = 100;
constexpr uint64_t kEnd = DMA_BUF_SYNC_END;

class DmaBufAccessTest : public ::testing::Test {
  protected:
    [[nodiscard]] int fd() const { return mapping_.get()->fd; }
    bool begin(larodDmaBufAccess access) { return larodDmaBufBegin(mapping_.get(), access, &error_); }
    bool end() { return larodDmaBufEnd(mapping_.get(), &error_); }

    UniqueFd file_ = patternFile(kSize);
    test::OneTensor tensor_{file_.get(), kSize, 0, LAROD_FD_TYPE_DMA};
    FakeKernel kernel_;
    DmaBufMapping mapping_{tensor_.get()};
    larodDmaBufError error_ = {};
};

TEST_F(DmaBufAccessTest, MappingAsksNothing) {
    larodDmaBufUnmap(mapping_.get());
    EXPECT_EQ(kernel_.asked, 0U);
}

TEST_F(DmaBufAccessTest, StartsAndEndsWithTheSameDirection) {
    const std::vector<std::pair<larodDmaBufAccess, uint64_t>> directions = {
        {LAROD_DMA_BUF_READ, DMA_BUF_SYNC_READ},
        {LAROD_DMA_BUF_WRITE, DMA_BUF_SYNC_WRITE},
        {LAROD_DMA_BUF_READ_WRITE, DMA_BUF_SYNC_RW}};
    for (const auto& [access, direction] : directions) {
        kernel_.done.clear();
        ASSERT_TRUE(begin(access)) << error_.msg;
        EXPECT_EQ(kernel_.done, (Calls{{fd(), direction}}));
        ASSERT_TRUE(end()) << error_.msg;
        EXPECT_EQ(kernel_.done, (Calls{{fd(), direction}, {fd(), kEnd | direction}}));
    }
    EXPECT_TRUE(mapping_.isDmaBuf());
}

TEST_F(DmaBufAccessTest, GoesToTheBufferAndNotToWhoHasItsNumberNow) {
    file_.reset();
    const UniqueFd other = patternFile(kSize);
    ASSERT_TRUE(begin(LAROD_DMA_BUF_READ));
    EXPECT_NE(kernel_.done.at(0).fd, other.get());
    EXPECT_TRUE(end());
}

TEST_F(DmaBufAccessTest, RepeatsWhatASignalInterrupts) {
    kernel_.errors = std::deque<int>(5000, EINTR);
    EXPECT_TRUE(begin(LAROD_DMA_BUF_READ));
    kernel_.errors = std::deque<int>(5000, EINTR);
    EXPECT_TRUE(end());
    EXPECT_EQ(kernel_.done.size(), 2U);
}

TEST_F(DmaBufAccessTest, RepeatsWhatCantBeDoneYetForAWhile) {
    kernel_.errors = std::deque<int>(499, EAGAIN);
    EXPECT_TRUE(begin(LAROD_DMA_BUF_READ));
    kernel_.errors = std::deque<int>(499, EAGAIN);
    EXPECT_TRUE(end());
    kernel_.errors = std::deque<int>(500, EAGAIN);
    EXPECT_FALSE(begin(LAROD_DMA_BUF_READ));
    EXPECT_TRUE(kernel_.errors.empty());
    EXPECT_EQ(error_.code, LAROD_ERROR_FD);
    EXPECT_TRUE(begin(LAROD_DMA_BUF_READ));  // nothing was begun
    EXPECT_TRUE(end());
}

TEST_F(DmaBufAccessTest, TellsWhyItCantBegin) {
    kernel_.errors = {EIO};
    EXPECT_FALSE(begin(LAROD_DMA_BUF_WRITE));
    EXPECT_EQ(error_.code, LAROD_ERROR_FD);
    EXPECT_NE(std::string(error_.msg).find("begin: Input/output error"), std::string::npos) << error_.msg;
    EXPECT_FALSE(end());
    EXPECT_EQ(kernel_.asked, 1U);
}

TEST_F(DmaBufAccessTest, HasEndedAlsoWhereTheEndFails) {
    ASSERT_TRUE(begin(LAROD_DMA_BUF_WRITE));
    kernel_.errors = {EIO};
    EXPECT_FALSE(end());
    EXPECT_EQ(error_.code, LAROD_ERROR_FD);
    EXPECT_NE(std::string(error_.msg).find("end: Input/output error"), std::string::npos) << error_.msg;
    EXPECT_FALSE(end());
    EXPECT_EQ(error_.code, EINVAL);
    EXPECT_EQ(kernel_.asked, 2U);
}

TEST_F(DmaBufAccessTest, IsOneAtATime) {
    ASSERT_TRUE(begin(LAROD_DMA_BUF_WRITE));
    EXPECT_FALSE(begin(LAROD_DMA_BUF_READ));
    EXPECT_EQ(error_.code, EBUSY);
    ASSERT_TRUE(end());
    EXPECT_EQ(kernel_.done, (Calls{{fd(), DMA_BUF_SYNC_WRITE}, {fd(), kEnd | DMA_BUF_SYNC_WRITE}}));
}

TEST_F(DmaBufAccessTest, EndsBeforeTheMappingDoes) {
    const int number = fd();
    ASSERT_TRUE(begin(LAROD_DMA_BUF_WRITE));
    larodDmaBufUnmap(mapping_.get());
    EXPECT_EQ(kernel_.done, (Calls{{number, DMA_BUF_SYNC_WRITE}, {number, kEnd | DMA_BUF_SYNC_WRITE}}));
    EXPECT_FALSE(begin(LAROD_DMA_BUF_READ));
    EXPECT_EQ(error_.code, EINVAL);
    EXPECT_NE(std::string(error_.msg).find("not mapped"), std::string::npos) << error_.msg;
}

TEST_F(DmaBufAccessTest, NeedsAMappingAndAnAccess) {
    EXPECT_FALSE(larodDmaBufBegin(nullptr, LAROD_DMA_BUF_READ, &error_));
    EXPECT_EQ(error_.code, EINVAL);
    EXPECT_FALSE(larodDmaBufEnd(nullptr, nullptr));
    EXPECT_FALSE(begin(static_cast<larodDmaBufAccess>(0)));
    EXPECT_EQ(error_.code, EINVAL);
    EXPECT_EQ(kernel_.asked, 0U);
}

TEST_F(DmaBufAccessTest, WritesOnlyWhatIsMappedForWriting) {
    mapping_ = DmaBufMapping(tensor_.get(), LAROD_DMA_BUF_READ);
    for (const larodDmaBufAccess access : {LAROD_DMA_BUF_WRITE, LAROD_DMA_BUF_READ_WRITE}) {
        EXPECT_FALSE(begin(access));
        EXPECT_EQ(error_.code, EACCES);
        EXPECT_NE(std::string(error_.msg).find("LAROD_DMA_BUF_WRITE"), std::string::npos) << error_.msg;
    }
    EXPECT_EQ(kernel_.asked, 0U);
    EXPECT_TRUE(begin(LAROD_DMA_BUF_READ));
    mapping_ = DmaBufMapping(tensor_.get(), LAROD_DMA_BUF_WRITE);
    EXPECT_TRUE(begin(LAROD_DMA_BUF_READ_WRITE));
}

TEST_F(DmaBufAccessTest, BracketsOnlyDmaBufs) {
    ASSERT_TRUE(larodSetTensorFdProps(tensor_.get(), LAROD_FD_TYPE_DISK, nullptr));
    mapping_ = DmaBufMapping(tensor_.get());
    EXPECT_FALSE(mapping_.isDmaBuf());
    EXPECT_TRUE(begin(LAROD_DMA_BUF_READ));
    EXPECT_TRUE(end());
    EXPECT_EQ(kernel_.asked, 0U);
}

TEST_F(DmaBufAccessTest, FindsAWrongPromiseAndGoesOn) {
    kernel_.errors = {ENOTTY};
    for (int round = 0; round < 2; ++round) {
        EXPECT_TRUE(begin(LAROD_DMA_BUF_READ));
        EXPECT_TRUE(end());
    }
    EXPECT_FALSE(mapping_.isDmaBuf());
    EXPECT_EQ(kernel_.asked, 1U);
}

TEST_F(DmaBufAccessTest, CopiesInBrackets) {
    const std::vector<uint8_t> data(kSize, 0x5a);
    ASSERT_TRUE(larodDmaBufWrite(mapping_.get(), data.data(), kSize, &error_)) << error_.msg;
    std::vector<uint8_t> copy(kSize);
    ASSERT_TRUE(larodDmaBufRead(mapping_.get(), copy.data(), kSize, &error_)) << error_.msg;
    EXPECT_EQ(copy, data);
    EXPECT_EQ(kernel_.done, (Calls{{fd(), DMA_BUF_SYNC_WRITE},
                                   {fd(), kEnd | DMA_BUF_SYNC_WRITE},
                                   {fd(), DMA_BUF_SYNC_READ},
                                   {fd(), kEnd | DMA_BUF_SYNC_READ}}));
}

TEST_F(DmaBufAccessTest, CopiesAWholeTensorOrNothing) {
    std::vector<uint8_t> data(kSize + 1, 0x5a);
    const uint8_t first = mapping_.get()->data[0];
    for (const size_t size : {kSize - 1, kSize + 1}) {
        EXPECT_FALSE(larodDmaBufWrite(mapping_.get(), data.data(), size, &error_));
        EXPECT_EQ(error_.code, EINVAL);
        EXPECT_NE(std::string(error_.msg).find(std::to_string(size)), std::string::npos) << error_.msg;
        EXPECT_FALSE(larodDmaBufRead(mapping_.get(), data.data(), size, &error_));
        EXPECT_EQ(error_.code, EINVAL);
    }
    EXPECT_EQ(mapping_.get()->data[0], first);
    EXPECT_EQ(data, std::vector<uint8_t>(kSize + 1, 0x5a));
    EXPECT_EQ(kernel_.asked, 0U);
}

TEST_F(DmaBufAccessTest, TouchesNothingWhereTheCopyCantBegin) {
    std::vector<uint8_t> data(kSize, 0x5a);
    const uint8_t first = mapping_.get()->data[0];
    kernel_.errors = {EIO, EIO};
    EXPECT_FALSE(larodDmaBufWrite(mapping_.get(), data.data(), kSize, &error_));
    EXPECT_FALSE(larodDmaBufRead(mapping_.get(), data.data(), kSize, &error_));
    EXPECT_EQ(mapping_.get()->data[0], first);
    EXPECT_EQ(data, std::vector<uint8_t>(kSize, 0x5a));
    EXPECT_FALSE(larodDmaBufWrite(nullptr, data.data(), kSize, nullptr));
    EXPECT_FALSE(larodDmaBufRead(nullptr, data.data(), kSize, nullptr));
}

TEST_F(DmaBufAccessTest, LastsAsLongAsItsScope) {
    {
        const DmaBufScope scope(mapping_, LAROD_DMA_BUF_READ);
        EXPECT_EQ(scope.data(), mapping_.get()->data);
        EXPECT_EQ(scope.size(), kSize);
        EXPECT_EQ(kernel_.done.size(), 1U);
    }
    EXPECT_EQ(kernel_.done, (Calls{{fd(), DMA_BUF_SYNC_READ}, {fd(), kEnd | DMA_BUF_SYNC_READ}}));
}

TEST_F(DmaBufAccessTest, EndsWhereTheScopeIsLeftByAnException) {
    EXPECT_THROW(
        {
            const DmaBufScope scope(mapping_, LAROD_DMA_BUF_WRITE);
            throw std::logic_error("left");
        },
        std::logic_error);
    EXPECT_EQ(kernel_.done, (Calls{{fd(), DMA_BUF_SYNC_WRITE}, {fd(), kEnd | DMA_BUF_SYNC_WRITE}}));
}

TEST_F(DmaBufAccessTest, EndsOnce) {
    {
        DmaBufScope scope(mapping_, LAROD_DMA_BUF_WRITE);
        scope.end();
        scope.end();
    }
    EXPECT_EQ(kernel_.done.size(), 2U);
}

TEST_F(DmaBufAccessTest, ScopesThrowWhatTheFunctionsReport) {
    const auto codeOf = [](auto&& function) {
        try {
            function();
        } catch (const DmaBufException& error) {
            return error.code();
        }
        return 0;
    };
    kernel_.errors = {EIO};
    EXPECT_EQ(codeOf([&] { const DmaBufScope scope(mapping_, LAROD_DMA_BUF_READ); }), LAROD_ERROR_FD);
    DmaBufScope scope(mapping_, LAROD_DMA_BUF_READ);
    EXPECT_EQ(codeOf([&] { const DmaBufScope second(mapping_, LAROD_DMA_BUF_READ); }), EBUSY);
    kernel_.errors = {EIO};
    EXPECT_EQ(codeOf([&] { scope.end(); }), LAROD_ERROR_FD);
}

TEST_F(DmaBufAccessTest, ScopesSurviveTheMoveOfTheirMapping) {
    const int number = fd();
    auto moved = std::make_unique<DmaBufMapping>(std::move(mapping_));
    {
        const DmaBufScope scope(*moved, LAROD_DMA_BUF_READ);
        const auto again = std::make_unique<DmaBufMapping>(std::move(*moved));
        moved = std::make_unique<DmaBufMapping>(std::move(*again));
    }
    EXPECT_EQ(kernel_.done, (Calls{{number, DMA_BUF_SYNC_READ}, {number, kEnd | DMA_BUF_SYNC_READ}}));
}

TEST(DmaBufAccess, RunsOnAMemoryFileThatWasPromisedToBeADmaBuf) {
    const UniqueFd file = patternFile(kSize);
    const test::OneTensor tensor(file.get(), kSize, 0, LAROD_FD_TYPE_DMA);
    DmaBufMapping mapping(tensor.get());
    DmaBufScope scope(mapping, LAROD_DMA_BUF_READ_WRITE);  // the kernel of this machine answers
    scope.end();
    EXPECT_FALSE(mapping.isDmaBuf());
}

}  // namespace
}  // namespace larod
