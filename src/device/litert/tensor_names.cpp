// SPDX-License-Identifier: Apache-2.0
#include "device/litert/tensor_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace larod::device::litert {

std::vector<std::string> distinctNames(std::vector<std::string> names) {
    std::set<std::string> taken;
    for (std::string& name : names) {
        name.resize(std::min(name.size(), kMaxNameLength));
        taken.insert(name);
    }
    std::set<std::string> used;
    for (std::string& name : names) {
        const std::string original = name;
        for (size_t i = 1; used.count(name) != 0; ++i) {
            const std::string suffix = fmt::format("_{}", i);
            std::string candidate = original.substr(0, kMaxNameLength - suffix.size()) + suffix;
            if (taken.count(candidate) == 0) {
                name = std::move(candidate);
                taken.insert(name);
            }
        }
        used.insert(name);
    }
    return names;
}

}  // namespace larod::device::litert
