// SPDX-License-Identifier: Apache-2.0
// Memory files for the tests of buffers.
#pragma once

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/unique_fd.h"

namespace larod::buffer::test {

inline size_t pageSize() {
    return static_cast<size_t>(::sysconf(_SC_PAGESIZE));
}

// What stands at `place` of the files below.
inline std::byte patternAt(size_t place) {
    return static_cast<std::byte>(place * 31 % 251);
}

// A memfd of `size` bytes with the pattern.
inline UniqueFd patternFile(size_t size) {
    UniqueFd fd(::memfd_create("test", MFD_CLOEXEC));
    std::vector<std::byte> bytes(size);
    for (size_t i = 0; i < size; ++i) {
        bytes[i] = patternAt(i);
    }
    EXPECT_EQ(::pwrite(fd.get(), bytes.data(), size, 0), static_cast<ssize_t>(size));
    return fd;
}

}  // namespace larod::buffer::test
