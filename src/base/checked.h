// SPDX-License-Identifier: Apache-2.0
// Arithmetic on sizes that come from outside: nothing wraps.
#pragma once

#include <concepts>
#include <limits>
#include <optional>
#include <utility>

namespace larod {

template <std::integral T>
[[nodiscard]] constexpr std::optional<T> checkedAdd(T a, T b) noexcept {
    T result{};
    if (__builtin_add_overflow(a, b, &result)) {
        return std::nullopt;
    }
    return result;
}

template <std::integral T>
[[nodiscard]] constexpr std::optional<T> checkedMul(T a, T b) noexcept {
    T result{};
    if (__builtin_mul_overflow(a, b, &result)) {
        return std::nullopt;
    }
    return result;
}

// `value` rounded up to a multiple of `multiple` (> 0).
template <std::unsigned_integral T>
[[nodiscard]] constexpr std::optional<T> checkedRoundUp(T value, T multiple) noexcept {
    const T remainder = value % multiple;
    return remainder == 0 ? std::optional<T>(value) : checkedAdd<T>(value, multiple - remainder);
}

// `value` as a `To`, or nothing where it does not fit.
template <std::integral To, std::integral From>
[[nodiscard]] constexpr std::optional<To> checkedCast(From value) noexcept {
    if (!std::in_range<To>(value)) {
        return std::nullopt;
    }
    return static_cast<To>(value);
}

}  // namespace larod
