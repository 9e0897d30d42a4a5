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
#if HWY_ARCH_ARM_A64
    // The kernels' only instructions there, which every processor has. Highway would ask for AES with them, which the
    // kernels don't use and a Raspberry Pi 4 has not, and complain about it on stderr.
    hwy::GetChosenTarget().Update(HWY_NEON);
#else
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
#endif
}

}  // namespace larod::device::proc::kernels
