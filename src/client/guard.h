// SPDX-License-Identifier: Apache-2.0
// The edge between C++ and the C interface: here exceptions become larodError objects.
#pragma once

#include <cerrno>
#include <exception>
#include <new>
#include <string_view>
#include <system_error>

#include "base/error.h"
#include "client/error_object.h"
#include "larod.h"

// Marks the definition of a function of larod.h; everything else in the library is hidden.
#define LAROD_EXPORT extern "C" __attribute__((visibility("default")))

namespace larod::client {

// Calls `body` and gives its result. On an exception: `failure`, and *error, where there is one, is a new object
// whatever it held before; on success *error is not touched (api.md G1 to G3, G10).
template <typename Result, typename Body>
Result guard(larodError** error, Result failure, Body&& body) noexcept {
    larodError* made = nullptr;
    try {
        return body();
    } catch (const Error& caught) {
        made = error != nullptr ? makeError(caught.code(), caught.text()) : nullptr;
    } catch (const std::bad_alloc&) {
        made = outOfMemoryError();
    } catch (const std::system_error& caught) {
        made = error != nullptr ? makeError(caught.code().value(), caught.what()) : nullptr;
    } catch (const std::exception& caught) {
        made = error != nullptr ? makeError(EIO, caught.what()) : nullptr;
    }
    if (error != nullptr) {
        *error = made;
    }
    return failure;
}

// The same for functions that answer true or false.
template <typename Body>
bool guard(larodError** error, Body&& body) noexcept {
    return guard(error, false, [&body] {
        body();
        return true;
    });
}

// Throws Error(EINVAL) where a required pointer is NULL (api.md G6).
inline void require(const void* pointer, std::string_view name) {
    if (pointer == nullptr) {
        throw Error(EINVAL, "'{}' must not be NULL", name);
    }
}

}  // namespace larod::client
