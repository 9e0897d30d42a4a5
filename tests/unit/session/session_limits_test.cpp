// SPDX-License-Identifier: Apache-2.0
// closeAllBut and setSessionLimits, each called in a process of its own.
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <vector>

#include "session/sandbox.h"
#include "unit/session/sandboxed.h"

namespace larod::session {
namespace {

using test::endText;
using test::inChild;
using test::inSandbox;
using test::kWrong;

// Descriptors from 3 on that are open in the calling process, up to 300. Opens none.
std::vector<int> openFds() {
    std::vector<int> fds;
    for (int fd = 3; fd < 300; ++fd) {
        if (::fcntl(fd, F_GETFD) >= 0) {
            fds.push_back(fd);
        }
    }
    return fds;
}

// What is open in a process that had `opened` (and more) when it called closeAllBut(keep).
int keptAre(std::vector<int> opened, std::vector<int> keep, std::vector<int> expected) {
    return inChild([&] {
        closeAllBut({});
        for (const int fd : opened) {
            ::dup2(STDERR_FILENO, fd);
        }
        closeAllBut(keep);
        const bool standard = ::fcntl(0, F_GETFD) >= 0 && ::fcntl(1, F_GETFD) >= 0 && ::fcntl(2, F_GETFD) >= 0;
        return openFds() == expected && standard ? 0 : kWrong;
    });
}

TEST(CloseAllBut, ClosesAll) {
    EXPECT_EQ(endText(keptAre({3, 4, 100, 299}, {}, {})), "exit 0");
}

TEST(CloseAllBut, KeepsTheFirstAndTheLast) {
    EXPECT_EQ(endText(keptAre({3, 4, 5, 6, 299}, {3, 299}, {3, 299})), "exit 0");
}

TEST(CloseAllBut, KeepsNeighboursAndClosesTheGapsBetween) {
    EXPECT_EQ(endText(keptAre({3, 4, 5, 6, 7, 8, 9, 10, 11}, {5, 6, 9, 10}, {5, 6, 9, 10})), "exit 0");
}

TEST(CloseAllBut, KeepsInAnyOrderAndTwice) {
    EXPECT_EQ(endText(keptAre({3, 4, 5, 6, 7, 8}, {8, 4, 8, 6, 4}, {4, 6, 8})), "exit 0");
}

TEST(CloseAllBut, IgnoresNumbersThatAreNotOpenOrStandard) {
    EXPECT_EQ(endText(keptAre({3, 4, 5, 6}, {-1, 0, 1, 2, 5, 200}, {5})), "exit 0");
}

TEST(SessionLimits, AllowNoCoreDumpsAndAsManyFilesAsThereMayBe) {
    const int status = inChild([] {
        rlimit before = {};
        ::getrlimit(RLIMIT_NOFILE, &before);
        setSessionLimits();
        rlimit data = {};
        rlimit core = {};
        rlimit files = {};
        ::getrlimit(RLIMIT_DATA, &data);
        ::getrlimit(RLIMIT_CORE, &core);
        ::getrlimit(RLIMIT_NOFILE, &files);
        return data.rlim_cur != RLIM_INFINITY && data.rlim_cur == data.rlim_max && core.rlim_max == 0 &&
                       files.rlim_cur == before.rlim_max
                   ? 0
                   : kWrong;
    });
    EXPECT_EQ(endText(status), "exit 0");
}

TEST(SessionLimits, RefuseMemoryBeyondThatOfTheMachine) {
    const int status = inSandbox([] {
        rlimit data = {};
        ::getrlimit(RLIMIT_DATA, &data);
        void* volatile some = std::malloc(size_t{1} << 20U);
        void* volatile all = std::malloc(data.rlim_cur + 1);
        return some != nullptr && all == nullptr;
    });
    EXPECT_EQ(endText(status), "exit 0");
}

}  // namespace
}  // namespace larod::session
