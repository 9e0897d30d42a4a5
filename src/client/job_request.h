// SPDX-License-Identifier: Apache-2.0
// What stands behind a larodJobRequest: copies of everything but the buffers.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/param_map.h"
#include "base/tensor_spec.h"
#include "client/tensor.h"
#include "larod.h"
#include "wire/messages.h"

namespace larod::client {

// The attributes of one tensor as they were when the request got it. The fd is borrowed from the application.
struct RequestTensor {
    wire::JobTensor message;  // as an untracked tensor
    int fd = -1;
    Tracking tracking;
};

// Throws Error(EINVAL) for missing tensors and Error(LAROD_ERROR_TENSOR_MISMATCH) for those whose attributes
// contradict each other (api.md 10).
[[nodiscard]] std::vector<RequestTensor> copyTensors(larodTensor* const* tensors, size_t count, Direction direction);

}  // namespace larod::client

struct larodJobRequest {
    // Writes the request into `message` as the connection with this number sends it, and the fds that go along into
    // `fds`. What message and fds hold is replaced, their memory used again. Throws Error(LAROD_ERROR_TENSOR_MISMATCH)
    // for more tensors than any model has.
    void fill(larod::wire::RunJob& message, std::vector<int>& fds, uint64_t connectionSerial) const;

    // Throws Error(LAROD_ERROR_FD) naming the first tensor that would send an fd that is not open, if there is one.
    void throwIfFdClosed(uint64_t connectionSerial) const;

    uint64_t modelId = LAROD_INVALID_MODEL_ID;
    uint8_t priority = larod::wire::kDefaultPriority;
    std::vector<larod::client::RequestTensor> inputs;
    std::vector<larod::client::RequestTensor> outputs;
    larod::ParamMap params;
};
