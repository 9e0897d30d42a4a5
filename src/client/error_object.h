// SPDX-License-Identifier: Apache-2.0
// The larodError objects that the library hands out.
#pragma once

#include <string_view>

#include "larod.h"

namespace larod::client {

// A new object for destroyError(); the static out-of-memory object where there is no memory for one (api.md G10).
// `code` is a larodErrorCode or a positive errno.
[[nodiscard]] larodError* makeError(int code, std::string_view text) noexcept;

// Never allocates.
[[nodiscard]] larodError* outOfMemoryError() noexcept;

// Accepts nullptr and the static object.
void destroyError(larodError* error) noexcept;

}  // namespace larod::client
