// SPDX-License-Identifier: Apache-2.0
// KEY:VALUE arguments, and the larod map that they make.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "larod-client/handles.h"

namespace larod::tools {

// The form of VALUE decides the type: one integer, two or four integers with commas, anything else is a string.
struct Parameter {
    std::string key;
    std::variant<int64_t, std::vector<int64_t>, std::string> value;  // a vector has 2 or 4 entries
};

// Throws UsageError: no colon, an empty key, integers in another number than 1, 2 or 4, an integer beyond 64 bits.
[[nodiscard]] Parameter parseParameter(std::string_view text);

// NULL for no parameters, as the larod calls take it. Throws ToolError, e.g. for a key of more than 127 bytes.
[[nodiscard]] MapHandle makeMap(const std::vector<Parameter>& parameters);

}  // namespace larod::tools
