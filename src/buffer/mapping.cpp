// SPDX-License-Identifier: Apache-2.0
#include "buffer/mapping.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "base/checked.h"
#include "base/error.h"
#include "buffer/file_identity.h"
#include "buffer/sigbus_guard.h"

namespace larod::buffer {

Mapping::Mapping(int fd, uint64_t offset, size_t length, MapAccess access) {
    const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
    // Some exporters of dma-bufs map the beginning of the buffer, whatever place was asked for (those of videobuf2 and
    // of GEM's shmem do): so a dma-buf is mapped from there, a file from the page.
    const auto lead = checkedCast<size_t>(isDmaBuf(fd) ? offset : offset % page).value_or(SIZE_MAX);
    const auto begin = checkedCast<off_t>(offset - lead);
    const auto mapped = checkedAdd(length, lead);
    const auto rounded = mapped ? checkedRoundUp(*mapped, page) : std::nullopt;
    const auto reserved = rounded ? checkedAdd(*rounded, page) : std::nullopt;
    if (length == 0 || !begin || !mapped || !rounded || !reserved) {
        throw Error(LAROD_ERROR_FD, "can't map {} bytes at offset {}: out of range", length, offset);
    }
    // First the whole range as anonymous memory, then the file over its start.
    void* range = ::mmap(nullptr, *reserved, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (range == MAP_FAILED) {
        throw Error(LAROD_ERROR_FD, "can't reserve {} bytes of address space: {}", *reserved, errnoText(errno));
    }
    reserved_ = static_cast<std::byte*>(range);
    reservedLength_ = *reserved;
    const int protection = access == MapAccess::ReadWrite ? PROT_READ | PROT_WRITE : PROT_READ;
    const int sharing = access == MapAccess::ReadPrivate ? MAP_PRIVATE : MAP_SHARED;
    // A dma-buf refuses a mapping past its end, a file does not: so no more pages than the window needs.
    if (::mmap(range, *mapped, protection, sharing | MAP_FIXED, fd, *begin) == MAP_FAILED) {
        const int reason = errno;
        ::munmap(reserved_, reservedLength_);
        throw Error(LAROD_ERROR_FD, "can't map {} bytes at offset {} {}: {}", length, offset,
                    access == MapAccess::ReadWrite ? "for reading and writing" : "for reading", errnoText(reason));
    }
    const auto slot = sigbus_guard::add(reserved_, *rounded);
    if (!slot) {
        ::munmap(reserved_, reservedLength_);
        throw Error(LAROD_ERROR_FD, "more than {} mappings in one session", sigbus_guard::kSlots);
    }
    guardSlot_ = *slot;
    bytes_ = {reserved_ + lead, length};
}

Mapping::~Mapping() {
    sigbus_guard::remove(guardSlot_);  // first: once unmapped, the addresses may be another mapping's
    ::munmap(reserved_, reservedLength_);
}

bool Mapping::broken() const noexcept {
    return sigbus_guard::broken(guardSlot_);
}

}  // namespace larod::buffer
