// SPDX-License-Identifier: Apache-2.0
// What stands behind a larodMap.
#pragma once

#include "base/param_map.h"
#include "larod.h"

struct larodMap {
    larod::ParamMap params;
};
