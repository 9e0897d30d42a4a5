// SPDX-License-Identifier: Apache-2.0
// The tensors that the service keeps for a client: tracked ones and allocated ones, by their ids.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "session/status_page.h"
#include "session/tensor.h"

namespace larod::session {

struct TrackedTensor {
    std::shared_ptr<Tensor> tensor;
    uint64_t memoryId = 0;  // the arbiter's name for its memory; 0: memory of the client
};

// Thread: any.
class TrackedTensors {
  public:
    // What there is of them is shown in `page`.
    explicit TrackedTensors(StatusPage& page) noexcept : page_(page) {}

    // All or none: throws Error(LAROD_ERROR_ALLOC) beyond wire::kMaxTrackedTensors. Returns the first id; the others
    // follow it. Ids are never used again.
    [[nodiscard]] uint64_t add(std::vector<TrackedTensor> tensors);

    // nullptr where none has the id any more.
    [[nodiscard]] std::shared_ptr<Tensor> find(uint64_t id);

    // These are no longer tracked. Unknown ids are ignored.
    [[nodiscard]] std::vector<TrackedTensor> take(std::span<const uint64_t> ids);

    [[nodiscard]] std::vector<std::shared_ptr<Tensor>> all();

  private:
    void showCounts() noexcept;  // the caller holds mutex_

    StatusPage& page_;
    std::mutex mutex_;  // guards what follows
    std::map<uint64_t, TrackedTensor> tracked_;
    uint64_t lastId_ = 0;
};

}  // namespace larod::session
