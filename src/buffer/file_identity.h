// SPDX-License-Identifier: Apache-2.0
// What a descriptor refers to. A number is no identity: numbers are used again.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace larod::buffer {

struct FileIdentity {
    dev_t device = 0;
    ino_t inode = 0;
    friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};

enum class FileKind : uint8_t {
    Mappable,  // a regular file, a memfd, or a dma-buf
    Other,     // pipe, socket, terminal, directory: never usable for a tensor or a model
};

struct FileStatus {
    FileIdentity identity;
    FileKind kind = FileKind::Other;
    uint64_t length = 0;  // bytes; of a dma-buf the size of the buffer
};

// One system call. Throws Error(LAROD_ERROR_FD) where `fd` is not open.
[[nodiscard]] FileIdentity fileIdentity(int fd);

// Never blocks and never moves the file position. Throws Error(LAROD_ERROR_FD) where `fd` is not open.
[[nodiscard]] FileStatus fileStatus(int fd);

// Whether the kernel says that it is a dma-buf; LAROD_FD_PROP_DMABUF is only a promise.
[[nodiscard]] bool isDmaBuf(int fd) noexcept;

// Whether nothing can make it shorter: a dma-buf, or a memory file that is sealed against shrinking. Its length needs
// to be looked at only once.
[[nodiscard]] bool hasFixedLength(int fd) noexcept;

}  // namespace larod::buffer
