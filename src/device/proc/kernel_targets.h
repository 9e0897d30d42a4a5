// SPDX-License-Identifier: Apache-2.0
// The instruction sets that kernels are compiled for; included before <hwy/foreach_target.h>.
//
// Fewer than there could be. Those of x86 that are missing gain nothing here; vectors of SVE have no size and can't be
// members.
#pragma once

#define HWY_DISABLED_TARGETS (HWY_SSE4 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
