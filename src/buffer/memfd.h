// SPDX-License-Identifier: Apache-2.0
// Anonymous memory files of a fixed size.
#pragma once

#include <cstdint>

#include "base/unique_fd.h"

namespace larod::buffer {

// A zero-filled memfd of `sizeBytes` that can neither grow nor shrink, so a mapping of it never faults. Constant time:
// no page is allocated before it is touched. Throws Error(LAROD_ERROR_ALLOC).
[[nodiscard]] UniqueFd makeSealedMemfd(const char* name, uint64_t sizeBytes);

}  // namespace larod::buffer
