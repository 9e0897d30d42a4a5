// SPDX-License-Identifier: Apache-2.0
// One job on its way through a session.
#pragma once

#include <poll.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "session/model.h"
#include "session/tensor.h"
#include "wire/messages.h"

namespace larod::session {

// When a job reached each stage, in CLOCK_MONOTONIC nanoseconds.
struct StageTimes {
    uint64_t arrivedNs = 0;
    uint64_t queuedNs = 0;
    uint64_t startedNs = 0;  // has the turn
    uint64_t mappedNs = 0;   // memory bound, and opened for the CPU or read
    uint64_t ranNs = 0;
    uint64_t syncedNs = 0;  // outputs written or flushed
    uint64_t repliedNs = 0;
};

// Jobs are used again, with the capacity of their vectors, so that a job on tracked tensors allocates nothing.
struct Job {
    uint64_t requestId = 0;
    wire::RunJob request;
    std::shared_ptr<Model> model;
    std::vector<std::shared_ptr<Tensor>> inputs;
    std::vector<std::shared_ptr<Tensor>> outputs;
    size_t untrackedFds = 0;  // fds that only this job holds

    // Of dma-buf.md 6: bit i leaves out the cache synchronisation of tensor i.
    uint64_t skipInputSync = 0;
    uint64_t skipOutputSync = 0;

    StageTimes times;

    // Its waits for dma-bufs that others use, of which it may have several.
    uint64_t fenceSinceNs = 0;     // when the last one began
    uint64_t fenceDeadlineNs = 0;  // of that one
    uint64_t fenceWaitedNs = 0;    // by those before

    // Scratch of the run.
    std::vector<pollfd> polls;
    std::vector<BoundTensor*> boundInputs;
    std::vector<BoundTensor*> boundOutputs;
    std::vector<device::Binding*> inputBindings;
    std::vector<device::Binding*> outputBindings;

    // Lets go of everything that belongs to a client; keeps the memory.
    void clear() noexcept {
        model.reset();
        inputs.clear();
        outputs.clear();
        boundInputs.clear();
        boundOutputs.clear();
        inputBindings.clear();
        outputBindings.clear();
        untrackedFds = 0;
        skipInputSync = 0;
        skipOutputSync = 0;
        times = {};
        fenceSinceNs = 0;
        fenceDeadlineNs = 0;
        fenceWaitedNs = 0;
    }
};

}  // namespace larod::session
