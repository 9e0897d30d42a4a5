// SPDX-License-Identifier: Apache-2.0
// How many descriptors this process has open, to show that none leaks.
#pragma once

#include <cstddef>
#include <filesystem>
#include <iterator>

namespace larod::test {

inline size_t countOpenFds() {
    // The directory's own descriptor is counted each time, so differences are right.
    return static_cast<size_t>(std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}));
}

}  // namespace larod::test
