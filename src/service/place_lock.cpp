// SPDX-License-Identifier: Apache-2.0
#include "service/place_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"

namespace larod::service {
namespace {

// The holder before may have removed the file that we waited for; then others lock a new one.
bool isStillThere(int fd, const std::string& file) {
    struct stat held = {};
    struct stat there = {};
    return ::fstat(fd, &held) == 0 && ::lstat(file.c_str(), &there) == 0 && held.st_dev == there.st_dev &&
           held.st_ino == there.st_ino;
}

}  // namespace

PlaceLock::PlaceLock(const std::string& path) : file_(path + ".lock") {
    do {
        fd_.reset(::open(file_.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600));
        int result = -1;
        while (fd_ && (result = ::flock(fd_.get(), LOCK_EX)) != 0 && errno == EINTR) {
        }
        if (result != 0) {
            throw Error(LAROD_ERROR_CONNECTION,
                        "can't listen at '{}': can't make its lock '{}': {}; choose another place with --socket", path,
                        file_, errnoText(errno));
        }
    } while (!isStillThere(fd_.get(), file_));
}

PlaceLock::~PlaceLock() {
    ::unlink(file_.c_str());
}

}  // namespace larod::service
