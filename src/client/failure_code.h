// SPDX-License-Identifier: Apache-2.0
// Which codes a service may send for a failure.
#pragma once

#include <cstdint>

#include "larod.h"

namespace larod::client {

// Negative codes are larod's own, also those that a newer service might know; positive ones are errno values. Both stay
// in the range that the enumeration can hold.
[[nodiscard]] constexpr bool isFailureCode(int32_t code) noexcept {
    return code != LAROD_ERROR_NONE && code >= -LAROD_ERROR_MAX_ERRNO && code <= LAROD_ERROR_MAX_ERRNO;
}

}  // namespace larod::client
