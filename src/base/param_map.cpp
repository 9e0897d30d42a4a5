// SPDX-License-Identifier: Apache-2.0
#include "base/param_map.h"

#include <cerrno>
#include <utility>

#include "base/error.h"

namespace larod {

std::string_view paramTypeName(const ParamValue& value) noexcept {
    static constexpr std::string_view kNames[] = {"integer", "array of 2 integers", "array of 4 integers", "string"};
    return kNames[value.index()];
}

void ParamMap::checkKey(std::string_view key) {
    if (key.empty()) {
        throw Error(EINVAL, "a map key must not be empty");
    }
    if (key.size() > kMaxParamLength) {
        throw Error(EINVAL, "a map key has at most {} characters, this one has {}", kMaxParamLength, key.size());
    }
}

void ParamMap::set(std::string_view key, ParamValue value) {
    checkKey(key);
    if (const auto* text = std::get_if<std::string>(&value); text != nullptr && text->size() > kMaxParamLength) {
        throw Error(EINVAL, "the value of map key '{}' has {} characters, at most {} are possible", key, text->size(),
                    kMaxParamLength);
    }
    const auto it = entries_.find(key);
    if (it == entries_.end()) {
        entries_.emplace(key, std::move(value));
        return;
    }
    if (it->second.index() != value.index()) {
        throwWrongType(key, it->second, value, EINVAL);
    }
    it->second = std::move(value);
}

const ParamValue* ParamMap::find(std::string_view key) const noexcept {
    const auto it = entries_.find(key);
    return it == entries_.end() ? nullptr : &it->second;
}

void ParamMap::throwWrongType(std::string_view key, const ParamValue& held, const ParamValue& wanted, int code) {
    throw Error(code, "map key '{}': expected type {}, but the value is of type {}", key, paramTypeName(wanted),
                paramTypeName(held));
}

}  // namespace larod
