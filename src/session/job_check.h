// SPDX-License-Identifier: Apache-2.0
// Whether a job's tensors fit its model (behaviour.md 5.1). Pure.
#pragma once

#include <vector>

#include "base/tensor_spec.h"
#include "device/device.h"
#include "wire/messages.h"

namespace larod::session {

// Throws Error(LAROD_ERROR_TENSOR_MISMATCH) that names tensor, attribute, expected and given value. Attributes that one
// side leaves open are not compared; the layout only where `compareLayout`.
void checkTensors(Direction direction, const std::vector<TensorSpec>& expected,
                  const std::vector<wire::JobTensor>& given, bool compareLayout);

// The value of skip-input-dma-sync or skip-output-dma-sync; 0 where it is absent. Throws Error(LAROD_ERROR_JOB) for
// another type.
[[nodiscard]] uint64_t skipSyncMask(const ParamMap& params, std::string_view key);

}  // namespace larod::session
