// SPDX-License-Identifier: Apache-2.0
// KEY:VALUE arguments, and the larod map that they make.
#include "larod-client/parameter.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

#include "larod-client/tool_error.h"

namespace larod::tools {

namespace {

// "-12", "+3", "7", whole and with nothing around it.
bool looksLikeInteger(std::string_view text) {
    if (!text.empty() && (text.front() == '-' || text.front() == '+')) {
        text.remove_prefix(1);
    }
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

int64_t parseInteger(std::string_view text, std::string_view parameter) {
    if (text.front() == '+') {
        text.remove_prefix(1);
    }
    int64_t value = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc{}) {
        throw UsageError(fmt::format("parameter '{}': {} does not fit into 64 bits", parameter, text));
    }
    return value;
}

// The parts of a list that consists of integers alone; nothing for any other text.
std::optional<std::vector<std::string_view>> splitIntegers(std::string_view text) {
    std::vector<std::string_view> parts;
    while (true) {
        const size_t comma = text.find(',');
        parts.push_back(text.substr(0, comma));
        if (!looksLikeInteger(parts.back())) {
            return std::nullopt;
        }
        if (comma == std::string_view::npos) {
            return parts;
        }
        text.remove_prefix(comma + 1);
    }
}

}  // namespace

Parameter parseParameter(std::string_view text) {
    const size_t colon = text.find(':');
    if (colon == std::string_view::npos || colon == 0) {
        throw UsageError(fmt::format("parameter '{}': expected KEY:VALUE", text));
    }
    const std::string key(text.substr(0, colon));
    const std::string_view value = text.substr(colon + 1);
    const auto parts = splitIntegers(value);
    if (!parts) {
        return {key, std::string(value)};
    }
    std::vector<int64_t> integers;
    for (const std::string_view part : *parts) {
        integers.push_back(parseInteger(part, text));
    }
    switch (integers.size()) {
        case 1:
            return {key, integers.front()};
        case 2:
        case 4:
            return {key, std::move(integers)};
        default:
            throw UsageError(
                fmt::format("parameter '{}': a list has two or four integers, not {}", text, integers.size()));
    }
}

MapHandle makeMap(const std::vector<Parameter>& parameters) {
    if (parameters.empty()) {
        return nullptr;
    }
    LarodError error;
    MapHandle map(larodCreateMap(error.out()));
    if (!map) {
        throw error.toolError("Could not create a map");
    }
    for (const auto& [key, value] : parameters) {
        bool set = false;
        if (const auto* integer = std::get_if<int64_t>(&value)) {
            set = larodMapSetInt(map.get(), key.c_str(), *integer, error.out());
        } else if (const auto* text = std::get_if<std::string>(&value)) {
            set = larodMapSetStr(map.get(), key.c_str(), text->c_str(), error.out());
        } else if (const auto& list = std::get<std::vector<int64_t>>(value); list.size() == 2) {
            set = larodMapSetIntArr2(map.get(), key.c_str(), list[0], list[1], error.out());
        } else {
            set = larodMapSetIntArr4(map.get(), key.c_str(), list[0], list[1], list[2], list[3], error.out());
        }
        if (!set) {
            throw error.toolError(fmt::format("Could not set parameter '{}'", key));
        }
    }
    return map;
}

}  // namespace larod::tools
