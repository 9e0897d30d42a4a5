// SPDX-License-Identifier: Apache-2.0
// The content of a larodMap: load, allocation and job parameters. A value.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>

namespace larod {

// A key or a string value with its terminating NUL has at most 128 bytes (api.md 9).
inline constexpr size_t kMaxParamLength = 127;

// The order of the alternatives is part of the wire protocol.
using ParamValue = std::variant<int64_t, std::array<int64_t, 2>, std::array<int64_t, 4>, std::string>;

[[nodiscard]] std::string_view paramTypeName(
    const ParamValue& value) noexcept;  // "integer", "array of 2 integers", ...

class ParamMap {
  public:
    using Entries = std::map<std::string, ParamValue, std::less<>>;

    // Throws Error(EINVAL) for an empty or over-long key, an over-long string, or a key that holds another type.
    void set(std::string_view key, ParamValue value);

    // The value, or nullptr where the key is absent. Valid until the key is set again or the map is gone.
    [[nodiscard]] const ParamValue* find(std::string_view key) const noexcept;

    // The value as T, or nullptr where the key is absent; throws Error(code) naming the key where it has another type.
    template <typename T>
    [[nodiscard]] const T* get(std::string_view key, int code) const {
        const ParamValue* value = find(key);
        if (value == nullptr) {
            return nullptr;
        }
        const T* typed = std::get_if<T>(value);
        if (typed == nullptr) {
            throwWrongType(key, *value, ParamValue(T{}), code);
        }
        return typed;
    }

    [[nodiscard]] const Entries& entries() const noexcept { return entries_; }
    [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }
    void clear() noexcept { entries_.clear(); }

    // Throws Error(EINVAL) for a key that no map can hold.
    static void checkKey(std::string_view key);

  private:
    [[noreturn]] static void throwWrongType(std::string_view key, const ParamValue& held, const ParamValue& wanted,
                                            int code);

    Entries entries_;
};

}  // namespace larod
