// SPDX-License-Identifier: Apache-2.0
#include "session/job_runner.h"

#include <algorithm>
#include <cerrno>

#include "base/log.h"
#include "base/monotonic_time.h"

namespace larod::session {
namespace {

constexpr size_t kSpareJobs = 64;

bool skips(uint64_t mask, size_t index) noexcept {
    return index < 64 && ((mask >> index) & 1U) != 0;
}

void logTimes(const Job& job) {
    if (!log::isEnabled(log::Level::Trace)) {
        return;
    }
    // A job that failed has not reached each stage.
    const StageTimes& times = job.times;
    const auto us = [](uint64_t from, uint64_t to) { return to < from ? 0 : (to - from) / 1000; };
    log::trace("job {} of model {}: queued {} us, waited {} us, bound {} us, ran {} us, synced {} us, replied {} us",
               job.requestId, job.model->info().id, us(times.arrivedNs, times.queuedNs),
               us(times.queuedNs, times.startedNs), us(times.startedNs, times.mappedNs),
               us(times.mappedNs, times.ranNs), us(times.ranNs, times.syncedNs), us(times.syncedNs, times.repliedNs));
}

}  // namespace

JobRunner::JobRunner(const device::DeviceList& devices, StatusPage& page, ArbiterLink& arbiter, Replies& replies,
                     ThreadPool& pool, uint64_t fenceTimeoutMs, std::function<void(uint32_t)> drain,
                     std::function<bool(const std::shared_ptr<Model>&)> exists)
    : devices_(devices),
      page_(page),
      arbiter_(arbiter),
      replies_(replies),
      pool_(pool),
      fenceTimeoutMs_(fenceTimeoutMs),
      drain_(std::move(drain)),
      exists_(std::move(exists)),
      fences_(pool, [this](uint32_t unit, uint64_t requestId, FenceWatch::Outcome outcome) {
          onFence(unit, requestId, outcome);
      }) {
    for (uint32_t unit = 0; unit < devices.unitCount(); ++unit) {
        queues_.push_back(std::make_unique<UnitQueue>(page.turns[unit], unit, arbiter));
    }
}

JobRunner::UnitQueue& JobRunner::queueOf(const Model& model) const noexcept {
    return *queues_[devices_.unitOf(model.info().device)];
}

std::unique_ptr<Job> JobRunner::newJob() {
    const std::lock_guard lock(mutex_);
    if (spare_.empty()) {
        return std::make_unique<Job>();
    }
    auto job = std::move(spare_.back());
    spare_.pop_back();
    return job;
}

void JobRunner::recycle(std::unique_ptr<Job> job) noexcept {
    job->clear();
    const std::lock_guard lock(mutex_);
    if (spare_.size() < kSpareJobs) {
        spare_.push_back(std::move(job));
    }
}

Admission JobRunner::submit(std::unique_ptr<Job> job) {
    UnitQueue& queue = queueOf(*job->model);
    const bool quick = job->request.onlyRequest || job->model->lastRunNs.load(std::memory_order_relaxed) < kShortJobNs;
    const uint8_t priority = job->request.priority;
    const uint64_t requestId = job->requestId;
    job->times.queuedNs = monotonicNs();
    outstanding_.fetch_add(1, std::memory_order_relaxed);
    untrackedFds_.fetch_add(job->untrackedFds, std::memory_order_relaxed);

    const std::lock_guard lock(mutex_);
    if (stopped_) {
        forgetOutstanding(*job);
        return Admission::Queued;
    }
    queue.jobs.push(std::move(job), priority, requestId);
    page_.jobsQueued.fetch_add(1, std::memory_order_relaxed);
    if (queue.served) {
        return Admission::Queued;
    }
    setServed(queue, true);
    return quick && queue.turn.tryStart() ? Admission::RunInline : Admission::Serve;
}

void JobRunner::setServed(UnitQueue& queue, bool served) noexcept {
    queue.served = served;
    serving_.fetch_add(served ? 1 : -size_t{1}, std::memory_order_release);
}

Admission JobRunner::serveInline(uint32_t unit) {
    runNext(unit);
    const std::lock_guard lock(mutex_);
    UnitQueue& queue = *queues_[unit];
    if (queue.jobs.hasReady()) {
        return Admission::Serve;
    }
    setServed(queue, false);
    return Admission::Queued;
}

void JobRunner::serve(uint32_t unit) {
    UnitQueue& queue = *queues_[unit];
    for (;;) {
        {
            const std::lock_guard lock(mutex_);
            if (stopped_ || !queue.jobs.hasReady()) {
                setServed(queue, false);
                return;
            }
        }
        switch (queue.turn.start()) {
            case Start::Started:
                runNext(unit);
                drain_(unit);
                break;
            case Start::Refused:
                drain_(unit);
                refuseNext(unit);
                break;
            case Start::Stopped:
                break;
        }
    }
}

// Others may still use a dma-buf that a job is to read or write. Looked at late, so that those count that came to use
// it while the job was queued.
std::unique_ptr<Job> JobRunner::takeNext(uint32_t unit) {
    while (std::unique_ptr<Job> job = queues_[unit]->jobs.pop()) {
        const auto busy = findBusyBuffer(*job);
        if (!busy) {
            page_.jobsQueued.fetch_sub(1, std::memory_order_relaxed);
            return job;
        }
        park(unit, std::move(job), *busy);
    }
    return nullptr;
}

void JobRunner::park(uint32_t unit, std::unique_ptr<Job> job, const BusyBuffer& busy) {
    // All its waits together have the limit: somebody may use the buffer again and again.
    const uint64_t limitNs = fenceTimeoutMs_ * 1'000'000;
    job->fenceSinceNs = monotonicNs();
    job->fenceDeadlineNs = job->fenceSinceNs + limitNs - std::min(limitNs, job->fenceWaitedNs);
    log::debug("job {}: waits, since others use the dma-buf of {}", job->requestId, placeText(busy.place));
    const uint8_t priority = job->request.priority;
    const uint64_t requestId = job->requestId;
    fences_.add(unit, requestId, busy, job->fenceDeadlineNs);
    queues_[unit]->jobs.push(std::move(job), priority, requestId, JobQueue<Job>::State::Waiting);
}

void JobRunner::onFence(uint32_t unit, uint64_t requestId, FenceWatch::Outcome outcome) {
    std::unique_ptr<Job> late;
    std::optional<BusyBuffer> busy;
    {
        const std::lock_guard lock(mutex_);
        UnitQueue& queue = *queues_[unit];
        Job* job = queue.jobs.findWaiting(requestId);
        if (job == nullptr) {
            return;
        }
        busy = findBusyBuffer(*job);
        if (!busy) {
            job->fenceWaitedNs += monotonicNs() - job->fenceSinceNs;
            queue.jobs.markReady(requestId);
            if (!queue.served) {
                setServed(queue, true);
                pool_.run([this, unit] { serve(unit); });
            }
            return;
        }
        if (outcome == FenceWatch::Outcome::Signalled) {
            fences_.add(unit, requestId, *busy, job->fenceDeadlineNs);  // another one
            return;
        }
        page_.jobsQueued.fetch_sub(1, std::memory_order_relaxed);
        late = queue.jobs.takeWaiting(requestId);
    }
    fail(std::move(late),
         Error(LAROD_ERROR_JOB, "{}: others did not finish with its dma-buf in {} ms (larod --fence-timeout)",
               placeText(busy->place), fenceTimeoutMs_));
}

void JobRunner::fail(std::unique_ptr<Job> job, const Error& error) {
    page_.jobsFailed.fetch_add(1, std::memory_order_relaxed);
    forgetOutstanding(*job);
    replies_.failure(job->requestId, error);
    recycle(std::move(job));
}

// The job that would be next fails; those behind it ask for themselves.
void JobRunner::refuseNext(uint32_t unit) {
    std::unique_ptr<Job> job;
    {
        const std::lock_guard lock(mutex_);
        job = takeNext(unit);
    }
    if (!job) {
        return;
    }
    Error reason(LAROD_ERROR_POWER_NOT_AVAILABLE, "the device gets no power now");
    try {
        [[maybe_unused]] const auto none = arbiter_.call<wire::Done>(control::GetRefusal{job->model->info().device});
    } catch (const Error& error) {
        reason = error;
    }
    fail(std::move(job), reason);
}

void JobRunner::runNext(uint32_t unit) {
    UnitQueue& queue = *queues_[unit];
    std::unique_ptr<Job> job;
    {
        const std::lock_guard lock(mutex_);
        job = takeNext(unit);
        if (job) {
            queue.running = job->model;
        }
    }
    std::optional<Error> error;
    bool told = true;
    if (job) {
        std::atomic<uint64_t>& running = page_.turns[unit].runningModel;
        running.store(job->model->info().id, std::memory_order_relaxed);
        error = runJob(queue, *job);
        running.store(0, std::memory_order_relaxed);
        forgetOutstanding(*job);  // before the reply: a client at the limit may send its next job at once
        told = error ? replies_.tryFailure(job->requestId, *error) : replies_.tryDone(job->requestId);
        job->times.repliedNs = monotonicNs();
        logTimes(*job);
    }
    // The turn goes back after the reply: the client is on its way while the arbiter is told. But it does not wait for
    // a client that leaves its replies unread, since other sessions wait for the turn.
    bool backlog = false;
    std::vector<std::shared_ptr<Tensor>> unbind;
    std::shared_ptr<Model> ran;
    {
        const std::lock_guard lock(mutex_);
        backlog = queue.jobs.hasReady();
        unbind.swap(queue.unbindAfter);
        ran.swap(queue.running);
    }
    for (const auto& tensor : unbind) {
        tensor->unbind(ran->info().id);
    }
    queue.turn.finish(backlog && told);
    if (!told && error) {
        replies_.failure(job->requestId, *error);
    } else if (!told) {
        replies_.done(job->requestId);
    }
    if (job) {
        recycle(std::move(job));
    }
}

void JobRunner::bindTensors(Job& job, const std::shared_ptr<ModelInstance>& instance) {
    const device::Capabilities capabilities = job.model->device().capabilities();
    for (size_t i = 0; i < job.inputs.size(); ++i) {
        BoundTensor& bound = job.inputs[i]->bind({Direction::Input, i}, instance, capabilities);
        job.boundInputs.push_back(&bound);
        job.inputBindings.push_back(bound.binding());
    }
    for (size_t i = 0; i < job.outputs.size(); ++i) {
        BoundTensor& bound = job.outputs[i]->bind({Direction::Output, i}, instance, capabilities);
        job.boundOutputs.push_back(&bound);
        job.outputBindings.push_back(bound.binding());
    }
}

// How the device gets at the tensors, as far as that is news.
void JobRunner::explain(const Job& job) {
    for (const auto* bounds : {&job.boundInputs, &job.boundOutputs}) {
        for (BoundTensor* bound : *bounds) {
            if (const std::string news = bound->takeNews(); !news.empty()) {
                replies_.note(job.requestId, fmt::format("{}: {}", job.model->device().name(), news));
            }
        }
    }
}

void JobRunner::countTimes(const StageTimes& times) {
    const auto add = [](std::atomic<uint64_t>& total, uint64_t fromNs, uint64_t toNs) {
        total.fetch_add(toNs - fromNs, std::memory_order_relaxed);
    };
    add(page_.deviceTimeNs, times.startedNs, times.syncedNs);
    add(page_.waitTimeNs, times.arrivedNs, times.startedNs);
    add(page_.bindTimeNs, times.startedNs, times.mappedNs);
    add(page_.runTimeNs, times.mappedNs, times.ranNs);
    add(page_.syncTimeNs, times.ranNs, times.syncedNs);
}

std::optional<Error> JobRunner::runJob(UnitQueue& queue, Job& job) {
    StageTimes& times = job.times;
    times.startedNs = monotonicNs();
    try {
        if (job.model->deleted.load(std::memory_order_acquire) || !exists_(job.model)) {
            throw Error(LAROD_ERROR_MODEL_NOT_FOUND, "model {} was deleted while the job was queued",
                        job.model->info().id);
        }
        const auto& instance = job.model->instance(queue.turn.threads());
        bindTensors(job, instance);
        if (job.request.explain) {
            explain(job);
        }
        const auto syncOf = [&job](uint64_t skipMask, size_t index) {
            return SyncOptions{.skip = skips(skipMask, index), .native = job.request.syncNative};
        };
        for (size_t i = 0; i < job.boundInputs.size(); ++i) {
            job.boundInputs[i]->begin(syncOf(job.skipInputSync, i));
        }
        for (size_t i = 0; i < job.boundOutputs.size(); ++i) {
            job.boundOutputs[i]->begin(syncOf(job.skipOutputSync, i));
        }
        times.mappedNs = monotonicNs();
        instance->loaded().run({job.inputBindings, job.outputBindings, job.request.params});
        times.ranNs = monotonicNs();
        for (size_t i = 0; i < job.boundInputs.size(); ++i) {
            job.boundInputs[i]->end(syncOf(job.skipInputSync, i));
        }
        for (size_t i = 0; i < job.boundOutputs.size(); ++i) {
            job.boundOutputs[i]->end(syncOf(job.skipOutputSync, i));
        }
        times.syncedNs = monotonicNs();
        job.model->lastRunNs.store(times.syncedNs - times.startedNs, std::memory_order_relaxed);
        page_.jobsDone.fetch_add(1, std::memory_order_relaxed);
        countTimes(times);
        return std::nullopt;
    } catch (const Error& error) {
        abandon(job);
        return error;
    } catch (const std::bad_alloc&) {
        abandon(job);
        return Error(ENOMEM, "the session has no memory left for this job");
    }
}

void JobRunner::abandon(Job& job) noexcept {
    for (BoundTensor* bound : job.boundInputs) {
        bound->abandon();
    }
    for (BoundTensor* bound : job.boundOutputs) {
        bound->abandon();
    }
    page_.jobsFailed.fetch_add(1, std::memory_order_relaxed);
}

void JobRunner::forgetOutstanding(const Job& job) noexcept {
    outstanding_.fetch_sub(1, std::memory_order_relaxed);
    untrackedFds_.fetch_sub(job.untrackedFds, std::memory_order_relaxed);
}

void JobRunner::unbind(const std::shared_ptr<Model>& model, std::vector<std::shared_ptr<Tensor>> tensors) {
    {
        const std::lock_guard lock(mutex_);
        UnitQueue& queue = queueOf(*model);
        if (queue.running == model) {
            queue.unbindAfter = std::move(tensors);
            return;
        }
    }
    for (const auto& tensor : tensors) {
        tensor->unbind(model->info().id);
    }
}

void JobRunner::stop() {
    std::vector<std::unique_ptr<Job>> dropped;
    {
        const std::lock_guard lock(mutex_);
        stopped_ = true;
        fences_.stop();
        for (const auto& queue : queues_) {
            for (auto& job : queue->jobs.takeAll()) {
                dropped.push_back(std::move(job));
            }
            queue->turn.stop();
        }
    }
}

}  // namespace larod::session
