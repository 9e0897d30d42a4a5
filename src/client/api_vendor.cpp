// SPDX-License-Identifier: Apache-2.0
// larod.h: functions that concern a vendor's memory and a vendor's model formats.
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <memory>

#include "client/connection.h"
#include "client/guard.h"
#include "client/load_model.h"
#include "client/poll.h"

using namespace larod::client;
using larod::errnoText;
using larod::Error;
namespace wire = larod::wire;

namespace {

constexpr size_t kCopyChunkBytes = size_t{1} << 18;

void checkWritable(int fd) {
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags < 0) {
        throw Error(LAROD_ERROR_FD, "output fd {} is not open", fd);
    }
    if ((flags & O_ACCMODE) == O_RDONLY) {
        throw Error(LAROD_ERROR_FD, "output fd {} is not open for writing", fd);
    }
}

void writeAll(int fd, const std::byte* bytes, size_t count) {
    while (count > 0) {
        const ssize_t written = ::write(fd, bytes, count);
        if (written >= 0) {
            bytes += written;
            count -= static_cast<size_t>(written);
        } else if (errno == EAGAIN) {
            pollfd writable = {fd, POLLOUT, 0};
            pollUntil({&writable, 1}, std::nullopt);
        } else if (errno != EINTR) {
            throw Error(LAROD_ERROR_FD, "can't write the model to output fd {}: {}", fd, errnoText(errno));
        }
    }
}

// `length` bytes from the beginning of `from`, whose position does not move, to the position of `to`.
void copyModel(int from, int to, uint64_t length) {
    const auto chunk = std::make_unique_for_overwrite<std::byte[]>(kCopyChunkBytes);
    for (uint64_t done = 0; done < length;) {
        const auto want = static_cast<size_t>(std::min<uint64_t>(kCopyChunkBytes, length - done));
        const ssize_t got = ::pread(from, chunk.get(), want, static_cast<off_t>(done));
        if (got > 0) {
            writeAll(to, chunk.get(), static_cast<size_t>(got));
            done += static_cast<uint64_t>(got);
        } else if (got == 0 || errno != EINTR) {
            throw Error(LAROD_ERROR_FD, "could only read {} out of {} bytes of the model from fd {}{}{}", done, length,
                        from, got < 0 ? ": " : "", got < 0 ? errnoText(errno) : "");
        }
    }
}

}  // namespace

LAROD_EXPORT int larodConvertVmemFdToDmabuf(const int fd, const int64_t offset, larodError** error) {
    return guard<int>(error, LAROD_INVALID_FD, [&]() -> int {
        throw Error(EOPNOTSUPP,
                    "fd {} at offset {} can't be made a dma-buf: this system has no VMEM; frames come as dma-bufs here",
                    fd, offset);
    });
}

LAROD_EXPORT bool larodExportModel(larodConnection* conn, const int modelFd, const int outputFd, const larodDevice* dev,
                                   const larodMap* params, larodError** error) {
    return guard(error, [&] {
        require(conn, "conn");
        require(dev, "dev");
        // A device that takes the file has no other format.
        if (!dev->takesFile) {
            throw Error(EOPNOTSUPP,
                        "device {} has no format of its own to export a model to; load the model file itself",
                        dev->name);
        }
        if (modelFd < 0) {
            throw Error(LAROD_ERROR_FD, "the model's fd is negative");
        }
        checkWritable(outputFd);
        const auto model = loadModel(conn, modelFd, dev, LAROD_ACCESS_PRIVATE, "export", params);
        conn->call<wire::Done>(MessageRequest(wire::DeleteModel{model->info.id}));
        copyModel(modelFd, outputFd, model->info.sizeBytes);
    });
}
