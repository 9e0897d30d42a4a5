// SPDX-License-Identifier: Apache-2.0
// In place of opencv_route.cpp where the library is not there.
#include "preprocessing/route.h"

namespace larod::bench {

std::optional<Route> opencvRoute(const Conversion& /*conversion*/) {
    return std::nullopt;
}

std::optional<Route> usualRoute(const Conversion& /*conversion*/) {
    return std::nullopt;
}

}  // namespace larod::bench
