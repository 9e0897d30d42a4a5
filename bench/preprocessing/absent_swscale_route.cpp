// SPDX-License-Identifier: Apache-2.0
// In place of swscale_route.cpp where the library is not there.
#include "preprocessing/route.h"

namespace larod::bench {

std::optional<Route> swscaleRoute(const Conversion& /*conversion*/) {
    return std::nullopt;
}

}  // namespace larod::bench
