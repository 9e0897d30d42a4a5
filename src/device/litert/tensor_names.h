// SPDX-License-Identifier: Apache-2.0
// Names by which applications tell a model's tensors apart. Pure.
#pragma once

#include <string>
#include <vector>

namespace larod::device::litert {

inline constexpr size_t kMaxNameLength = 255;

// The names, cut to kMaxNameLength bytes and made distinct: a second "scores" becomes "scores_1". A name that occurs
// once keeps its form.
[[nodiscard]] std::vector<std::string> distinctNames(std::vector<std::string> names);

}  // namespace larod::device::litert
