// SPDX-License-Identifier: Apache-2.0
#include "buffer/file_identity.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"

#ifndef DMA_BUF_MAGIC
#define DMA_BUF_MAGIC 0x444d4142
#endif

namespace larod::buffer {

namespace {

// glibc's fstat is a newfstatat, which takes a path and so is denied to sessions.
struct stat statOf(int fd) {
    struct stat status = {};
#ifdef __LP64__
    const long result = ::syscall(SYS_fstat, fd, &status);  // the kernel's structure is the library's
#else
    const long result = ::fstat(fd, &status);
#endif
    if (result != 0) {
        throw Error(LAROD_ERROR_FD, "fd {} is not usable: {}", fd, errnoText(errno));
    }
    return status;
}

}  // namespace

bool isDmaBuf(int fd) noexcept {
    struct statfs fileSystem = {};
    return ::fstatfs(fd, &fileSystem) == 0 && static_cast<uint64_t>(fileSystem.f_type) == DMA_BUF_MAGIC;
}

bool hasFixedLength(int fd) noexcept {
    const int seals = ::fcntl(fd, F_GET_SEALS);  // an error where there can't be any
    return seals >= 0 ? (seals & F_SEAL_SHRINK) != 0 : isDmaBuf(fd);
}

FileIdentity fileIdentity(int fd) {
    const struct stat status = statOf(fd);
    return {status.st_dev, status.st_ino};
}

FileStatus fileStatus(int fd) {
    const struct stat status = statOf(fd);
    FileStatus result;
    result.identity = {status.st_dev, status.st_ino};
    // Only a dma-buf is asked by lseek: on a file it would move the client's position (processes.md 6). A dma-buf has
    // no file type in st_mode on the kernels that export it from its own file system.
    if (S_ISREG(status.st_mode)) {
        result.kind = FileKind::Mappable;
        result.length = static_cast<uint64_t>(status.st_size);
    }
    const bool mayBeDmaBuf = !S_ISREG(status.st_mode) || status.st_size == 0;
    if (mayBeDmaBuf && isDmaBuf(fd)) {
        const off_t length = ::lseek(fd, 0, SEEK_END);
        if (length < 0) {
            throw Error(LAROD_ERROR_FD, "can't find the size of the dma-buf at fd {}: {}", fd, errnoText(errno));
        }
        result.kind = FileKind::Mappable;
        result.length = static_cast<uint64_t>(length);
    }
    return result;
}

}  // namespace larod::buffer
