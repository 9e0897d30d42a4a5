// SPDX-License-Identifier: Apache-2.0
// Runs the jobs of a session: one queue and one turn a unit (device_list.h), and whoever serves it.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/error.h"
#include "device/device_list.h"
#include "session/fence_watch.h"
#include "session/job.h"
#include "session/job_queue.h"
#include "session/replies.h"
#include "session/turn.h"

namespace larod::session {

// A model whose jobs are shorter than this keeps the reading thread (processes.md 3): handing the role over costs as
// much.
inline constexpr uint64_t kShortJobNs = 200'000;

// What the caller of submit() is to do.
enum class Admission : uint8_t {
    Queued,     // somebody serves the unit already
    RunInline,  // call serveInline() and go on reading: the job is short, or nothing else can come meanwhile
    Serve,      // have somebody call serve(), and don't read meanwhile
};

// Thread: any.
class JobRunner {
  public:
    // `drain` reads what has arrived from the client, so that the highest priority among all that was sent runs next.
    // It is called by a serving thread between jobs, and must not wait. `exists`: whether nobody has deleted the model
    // while the job was queued. A job waits for dma-bufs that others use for `fenceTimeoutMs` at most, and is then
    // served by a thread of the pool.
    JobRunner(const device::DeviceList& devices, StatusPage& page, ArbiterLink& arbiter, Replies& replies,
              ThreadPool& pool, uint64_t fenceTimeoutMs, std::function<void(uint32_t unit)> drain,
              std::function<bool(const std::shared_ptr<Model>&)> exists);

    // An empty job, to be filled and submitted.
    [[nodiscard]] std::unique_ptr<Job> newJob();
    void recycle(std::unique_ptr<Job> job) noexcept;

    // Queues the job for the unit of its model's device. From RunInline on, the unit's turn is held for its job.
    [[nodiscard]] Admission submit(std::unique_ptr<Job> job);

    // After RunInline: runs the job. Serve, where more has come in meanwhile that must not keep the reader.
    [[nodiscard]] Admission serveInline(uint32_t unit);

    // After Serve: runs the unit's jobs until its queue is empty. Waits for the turn.
    void serve(uint32_t unit);

    // The model was deleted: forgets what `tensors` were bound to, at once or when its running job has ended.
    void unbind(const std::shared_ptr<Model>& model, std::vector<std::shared_ptr<Tensor>> tensors);

    // Drops all jobs that have not started, without a reply, and lets nobody wait for a turn.
    void stop();

    // Whether a unit has a thread that serves it, or that is to.
    [[nodiscard]] bool serving() const noexcept { return serving_.load(std::memory_order_acquire) != 0; }

    // Jobs submitted and not answered.
    [[nodiscard]] size_t outstanding() const noexcept { return outstanding_.load(std::memory_order_relaxed); }
    // Fds that those jobs hold and nobody else does.
    [[nodiscard]] size_t untrackedFds() const noexcept { return untrackedFds_.load(std::memory_order_relaxed); }

  private:
    struct UnitQueue {
        UnitQueue(TurnState& state, uint32_t unit, ArbiterLink& arbiter) : turn(state, unit, arbiter) {}
        Turn turn;
        JobQueue<Job> jobs;
        bool served = false;
        std::shared_ptr<Model> running;  // its model
        std::vector<std::shared_ptr<Tensor>> unbindAfter;
    };

    void setServed(UnitQueue& queue, bool served) noexcept;  // the caller holds mutex_
    [[nodiscard]] UnitQueue& queueOf(const Model& model) const noexcept;
    void runNext(uint32_t unit);
    void refuseNext(uint32_t unit);
    [[nodiscard]] std::unique_ptr<Job> takeNext(uint32_t unit);                  // the caller holds mutex_
    void park(uint32_t unit, std::unique_ptr<Job> job, const BusyBuffer& busy);  // the caller holds mutex_
    void onFence(uint32_t unit, uint64_t requestId, FenceWatch::Outcome outcome);
    void fail(std::unique_ptr<Job> job, const Error& error);
    [[nodiscard]] std::optional<Error> runJob(UnitQueue& queue, Job& job);  // what it failed with
    static void bindTensors(Job& job, const std::shared_ptr<ModelInstance>& instance);
    void explain(const Job& job);
    // Adds a job that is done to the counters of the status page.
    void countTimes(const StageTimes& times);
    void abandon(Job& job) noexcept;
    void forgetOutstanding(const Job& job) noexcept;

    const device::DeviceList& devices_;
    StatusPage& page_;
    ArbiterLink& arbiter_;
    Replies& replies_;
    ThreadPool& pool_;
    const uint64_t fenceTimeoutMs_;
    const std::function<void(uint32_t)> drain_;
    const std::function<bool(const std::shared_ptr<Model>&)> exists_;
    std::atomic<size_t> serving_{0};  // units
    std::atomic<size_t> outstanding_{0};
    std::atomic<size_t> untrackedFds_{0};
    FenceWatch fences_;

    std::mutex mutex_;                                // guards what follows, but not a queue's turn
    std::vector<std::unique_ptr<UnitQueue>> queues_;  // by unit
    std::vector<std::unique_ptr<Job>> spare_;
    bool stopped_ = false;
};

}  // namespace larod::session
