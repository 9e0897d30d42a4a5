// SPDX-License-Identifier: Apache-2.0
// The load parameters of debug-device as values (the grammar: debug_device.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/param_map.h"
#include "base/tensor_spec.h"
#include "device/debug/delay.h"

namespace larod::device::debug {

inline constexpr size_t kMaxTensors = 120;  // in one direction: what one message can carry (api.md 18)
inline constexpr size_t kMaxTensorBytes = size_t{1} << 40;

struct Action {
    enum class Kind : uint8_t { Fail, Crash, Abort, Hang };
    Kind kind = Kind::Fail;
    int code = 0;  // of Fail
};

struct JobAction {
    uint64_t job = 0;  // from 1
    Action action;
};

struct DebugParams {
    std::vector<TensorSpec> inputs;
    std::vector<TensorSpec> outputs;
    bool echo = false;
    DelayDistribution delay;
    uint64_t seed = 1;
    std::vector<JobAction> jobActions;  // ascending, no job twice
    uint64_t powerRefusals = 0;
    std::optional<Action> loadAction;
    uint64_t loadPowerRefusals = 0;
};

// Throws Error(LAROD_ERROR_LOAD_MODEL) naming key, expected and given value.
[[nodiscard]] DebugParams parseDebugParams(const ParamMap& params);

}  // namespace larod::device::debug
