// SPDX-License-Identifier: Apache-2.0
#include "device/proc/row_kernels.h"

#include <hwy/targets.h>

#include "base/error.h"

namespace larod::device::proc::kernels {

void warmUp() {
#if HWY_ARCH_X86
    if (!__builtin_cpu_supports("ssse3")) {
        throw Error(LAROD_ERROR_LOAD_MODEL, "expected an x86 processor with SSSE3, and this one has none");
    }
#endif
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

}  // namespace larod::device::proc::kernels
