// SPDX-License-Identifier: Apache-2.0
// larod.h alone, in C++: it compiles, and its functions have C linkage.
#include "larod.h"

extern "C" {
typedef bool (*RunJob)(larodConnection*, const larodJobRequest*, larodError**);
}

extern const RunJob runJob;
const RunJob runJob = larodRunJob;

extern const larodErrorCode codes[];
const larodErrorCode codes[] = {
    LAROD_ERROR_JOB,
#ifdef LAROD_API_VERSION_1
    LAROD_ERROR_INFERENCE,
#endif
};

#if defined(LAROD_API_VERSION_1) || defined(LAROD_API_VERSION_2)
extern const larodChip chip;
const larodChip chip = LAROD_CHIP_TFLITE_CPU;
#endif
