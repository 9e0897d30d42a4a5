// SPDX-License-Identifier: Apache-2.0
// What stands behind a larodMap.
#pragma once

#include <cerrno>

#include "base/error.h"
#include "base/param_map.h"
#include "larod.h"
#include "wire/limits.h"

struct larodMap {
    larod::ParamMap params;
};

namespace larod::client {

// The parameters as a request carries them; none where the application gave no map. Throws Error(EINVAL) for more than
// a request can carry.
[[nodiscard]] inline ParamMap paramsOf(const larodMap* map) {
    if (map == nullptr) {
        return {};
    }
    if (map->params.entries().size() > wire::kMaxParams) {
        throw Error(EINVAL, "the map has {} entries, at most {} are possible", map->params.entries().size(),
                    wire::kMaxParams);
    }
    return map->params;
}

}  // namespace larod::client
