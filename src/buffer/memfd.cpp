// SPDX-License-Identifier: Apache-2.0
#include "buffer/memfd.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "base/checked.h"
#include "base/error.h"

namespace larod::buffer {

UniqueFd makeSealedMemfd(const char* name, uint64_t sizeBytes) {
    const auto size = checkedCast<off_t>(sizeBytes);
    UniqueFd fd(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!fd) {
        throw Error(LAROD_ERROR_ALLOC, "can't create a memory file: {}", errnoText(errno));
    }
    if (!size || ::ftruncate(fd.get(), *size) != 0) {
        throw Error(LAROD_ERROR_ALLOC, "can't make a memory file of {} bytes: {}", sizeBytes,
                    errnoText(size ? errno : EFBIG));
    }
    if (::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) != 0) {
        throw Error(LAROD_ERROR_ALLOC, "can't seal a memory file: {}", errnoText(errno));
    }
    return fd;
}

}  // namespace larod::buffer
