// SPDX-License-Identifier: Apache-2.0
#include "base/unique_fd.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <limits>
#include <type_traits>
#include <utility>

#include "unit/open_fds.h"

namespace larod {
namespace {

int openNull() {
    return ::open("/dev/null", O_RDWR | O_CLOEXEC);
}

bool isOpen(int fd) {
    return ::fcntl(fd, F_GETFD) >= 0;
}

static_assert(!std::is_copy_constructible_v<UniqueFd> && !std::is_copy_assignable_v<UniqueFd>);
static_assert(std::is_nothrow_move_constructible_v<UniqueFd> && std::is_nothrow_move_assignable_v<UniqueFd>);
static_assert(!std::is_convertible_v<int, UniqueFd>, "ownership is taken by name only");

TEST(UniqueFd, ClosesAtTheEndOfItsScope) {
    const size_t before = larod::test::countOpenFds();
    int number = -1;
    {
        const UniqueFd fd(openNull());
        ASSERT_TRUE(fd);
        number = fd.get();
        EXPECT_TRUE(isOpen(number));
    }
    EXPECT_FALSE(isOpen(number));
    EXPECT_EQ(larod::test::countOpenFds(), before);
}

TEST(UniqueFd, IsEmptyByDefaultAndForNegativeNumbers) {
    EXPECT_FALSE(UniqueFd());
    EXPECT_FALSE(UniqueFd(-1));
    EXPECT_FALSE(UniqueFd(std::numeric_limits<int>::min()));
    EXPECT_EQ(UniqueFd().get(), -1);
}

TEST(UniqueFd, MovesItsFdAndLeavesNothing) {
    UniqueFd from(openNull());
    const int number = from.get();
    UniqueFd to(std::move(from));
    EXPECT_EQ(to.get(), number);
    EXPECT_FALSE(from);  // NOLINT(bugprone-use-after-move): what is left is the point
    EXPECT_TRUE(isOpen(number));
}

TEST(UniqueFd, AssignmentClosesWhatWasHeld) {
    UniqueFd held(openNull());
    const int old = held.get();
    UniqueFd other(openNull());
    const int fresh = other.get();
    held = std::move(other);
    EXPECT_FALSE(isOpen(old));
    EXPECT_TRUE(isOpen(fresh));
    EXPECT_EQ(held.get(), fresh);
}

TEST(UniqueFd, SurvivesAssignmentToItself) {
    UniqueFd fd(openNull());
    UniqueFd& same = fd;
    fd = std::move(same);
    EXPECT_TRUE(fd);
    EXPECT_TRUE(isOpen(fd.get()));
}

TEST(UniqueFd, ReleaseGivesTheFdAway) {
    int number = -1;
    {
        UniqueFd fd(openNull());
        number = fd.release();
        EXPECT_FALSE(fd);
    }
    ASSERT_TRUE(isOpen(number));
    ::close(number);
}

TEST(UniqueFd, ResetClosesAndTakes) {
    UniqueFd fd(openNull());
    const int old = fd.get();
    fd.reset(openNull());
    EXPECT_TRUE(fd);
    EXPECT_NE(fd.get(), old) << "the new one was opened while the old one was open";
    EXPECT_FALSE(isOpen(old));
    fd.reset();
    EXPECT_FALSE(fd);
}

}  // namespace
}  // namespace larod
