// SPDX-License-Identifier: Apache-2.0
// A lock on a place is worth something only while its file is there.
#include "service/place_lock.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "base/unique_fd.h"
#include "support/temp_dir.h"

namespace larod::service {
namespace {

namespace fs = std::filesystem;

class PlaceLockTest : public ::testing::Test {
  protected:
    PlaceLockTest() {
        // As the links in /proc name it.
        file = fs::canonical(folder_.path()) / "socket.lock";
    }

    // A lock file made and locked as another process would.
    [[nodiscard]] UniqueFd lockedFile() const {
        UniqueFd fd(::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
        EXPECT_EQ(::flock(fd.get(), LOCK_EX | LOCK_NB), 0);
        return fd;
    }

    // How many descriptors of this process refer to the file that is there now.
    [[nodiscard]] size_t countOpen() const {
        size_t count = 0;
        for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
            std::error_code closedMeanwhile;
            count += fs::read_symlink(entry.path(), closedMeanwhile) == file ? 1U : 0U;
        }
        return count;
    }

    [[nodiscard]] std::string path() const { return (file.parent_path() / "socket").string(); }

    fs::path file;

  private:
    const larod::test::TempDir folder_;
};

TEST_F(PlaceLockTest, IsAFileOfItsUserBesideThePlaceForAsLongAsItLasts) {
    {
        const PlaceLock lock(path());
        EXPECT_EQ(fs::status(file).permissions(), fs::perms::owner_read | fs::perms::owner_write);
        const UniqueFd other(::open(file.c_str(), O_RDWR | O_CLOEXEC));
        EXPECT_NE(::flock(other.get(), LOCK_EX | LOCK_NB), 0);
    }
    EXPECT_FALSE(fs::exists(file));
}

TEST_F(PlaceLockTest, IsNotHadByTheLockOfAFileThatIsNoLongerThere) {
    UniqueFd first = lockedFile();
    std::atomic<bool> locked{false};
    std::thread waiter([&] {
        const PlaceLock lock(path());
        locked = true;
    });
    while (countOpen() < 2) {  // the waiter has opened the first file
        std::this_thread::yield();
    }
    fs::remove(file);
    UniqueFd second = lockedFile();
    first.reset();
    while (!locked && countOpen() < 2) {  // it has the lock of the first one now, and looks for the second
        std::this_thread::yield();
    }
    EXPECT_FALSE(locked);
    second.reset();
    waiter.join();
    EXPECT_TRUE(locked);
    EXPECT_FALSE(fs::exists(file));
}

}  // namespace
}  // namespace larod::service
