// SPDX-License-Identifier: Apache-2.0
#include "session/status_page.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <cerrno>

#include "base/error.h"
#include "buffer/memfd.h"

namespace larod::session {
namespace {

constexpr size_t kPageBytes = 4096;

}  // namespace

template <typename T>
PageMapping<T>::PageMapping(int fd) : page_(nullptr) {
    const int protection = std::is_const_v<T> ? PROT_READ : PROT_READ | PROT_WRITE;
    void* memory = ::mmap(nullptr, kPageBytes, protection, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) {
        throw Error(LAROD_ERROR_CREATE_SESSION, "can't map a status page: {}", errnoText(errno));
    }
    page_ = static_cast<T*>(memory);  // all members are lock-free atomics, whose zero bytes are zero
}

template <typename T>
PageMapping<T>::~PageMapping() {
    ::munmap(const_cast<std::remove_const_t<T>*>(page_), kPageBytes);
}

template class PageMapping<StatusPage>;
template class PageMapping<ServicePage>;
template class PageMapping<const ServicePage>;

UniqueFd makePage(const char* name) {
    return buffer::makeSealedMemfd(name, kPageBytes);
}

UniqueFd reopenReadOnly(int fd) {
    UniqueFd readOnly(::open(fmt::format("/proc/self/fd/{}", fd).c_str(), O_RDONLY | O_CLOEXEC));
    if (!readOnly) {
        throw Error(LAROD_ERROR_CREATE_SESSION, "can't open a memory file for reading: {}", errnoText(errno));
    }
    return readOnly;
}

}  // namespace larod::session
