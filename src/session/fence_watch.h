// SPDX-License-Identifier: Apache-2.0
// Dma-bufs that others have not finished with: who writes or reads one on some hardware puts a fence on it, which the
// kernel tells by poll(2). A job waits for them outside its queue's order, so that the device is free for others.
#pragma once

#include <poll.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/unique_fd.h"
#include "session/job.h"
#include "session/tensor.h"
#include "session/thread_pool.h"

namespace larod::session {

// A dma-buf of a job that the job may not use yet.
struct BusyBuffer {
    std::shared_ptr<Tensor> tensor;
    TensorPlace place;
    short events;  // of poll(2): one of them tells that it may
};

// The first one: an input that somebody writes, or an output that somebody writes or reads; also an input that somebody
// reads, where the session is to synchronise it as one that is written (dma-buf.md 4.4), which would wait for that. One
// system call, none where the job has no dma-bufs.
[[nodiscard]] std::optional<BusyBuffer> findBusyBuffer(Job& job);

// Waits for busy buffers, on a thread of the pool as long as there are any. Thread: any.
class FenceWatch {
  public:
    enum class Outcome : uint8_t { Signalled, TimedOut };
    // Told once for each wait, by the watching thread.
    using Report = std::function<void(uint32_t unit, uint64_t requestId, Outcome outcome)>;

    FenceWatch(ThreadPool& pool, Report report) : pool_(pool), report_(std::move(report)) {}
    FenceWatch(const FenceWatch&) = delete;
    FenceWatch& operator=(const FenceWatch&) = delete;

    // The job of this id and unit waits for `buffer`, until `deadlineNs` of CLOCK_MONOTONIC at most.
    void add(uint32_t unit, uint64_t requestId, const BusyBuffer& buffer, uint64_t deadlineNs);

    // Nobody is told anything any more.
    void stop() noexcept;

  private:
    struct Wait {
        uint32_t unit;
        uint64_t requestId;
        std::shared_ptr<Tensor> tensor;  // keeps its fd open
        short events;
        uint64_t deadlineNs;
    };

    void watch();
    void wake() noexcept;

    ThreadPool& pool_;
    const Report report_;

    std::mutex mutex_;  // guards what follows
    UniqueFd wake_;     // an eventfd, made at the first wait
    std::vector<Wait> waits_;
    bool watching_ = false;
    bool stopped_ = false;
};

}  // namespace larod::session
