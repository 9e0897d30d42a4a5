// SPDX-License-Identifier: Apache-2.0
// larod.h alone, in C++: it compiles, and its functions have C linkage.
#include "larod.h"

extern "C" {
using RunJob = bool (*)(larodConnection*, const larodJobRequest*, larodError**);
}

extern const RunJob runJob;
const RunJob runJob = larodRunJob;
