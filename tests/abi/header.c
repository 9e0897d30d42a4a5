/* SPDX-License-Identifier: Apache-2.0 */
/* larod.h alone, in C. */
#include "larod.h"

/* Uses every macro, so that each expands to something that compiles. */
int useMacros(uint64_t id, int fd);
int useMacros(uint64_t id, int fd) {
    const uint32_t props = LAROD_FD_TYPE_DMA | LAROD_FD_TYPE_DISK | LAROD_FD_PROP_READWRITE;
    larodTensorDims dims = {{0}, LAROD_TENSOR_MAX_LEN};
    return id != LAROD_INVALID_MODEL_ID && fd != LAROD_INVALID_FD && props != 0 && dims.len != 0;
}
