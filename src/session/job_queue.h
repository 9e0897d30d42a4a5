// SPDX-License-Identifier: Apache-2.0
// The jobs of one session that wait for one device. Pure: it decides the order and does nothing else.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace larod::session {

// Order: higher priority first, equal priorities by request id, which the client lets grow from message to message; so
// the order of sending counts, whichever thread read the message (behaviour.md 7).
//
// A job may be told to wait, for a fence on one of its buffers: it keeps its place in the order, but is passed over
// until markReady().
//
// Keeps its capacity: pushing and popping does not allocate once it has grown.
template <typename Job>
class JobQueue {
  public:
    enum class State : uint8_t { Ready, Waiting };

    void push(std::unique_ptr<Job> job, uint8_t priority, uint64_t requestId, State state = State::Ready) {
        Entry entry{std::move(job), priority, requestId};
        if (state == State::Waiting) {
            waiting_.push_back(std::move(entry));
        } else {
            pushReady(std::move(entry));
        }
    }

    // The next job, or nullptr where none is ready.
    [[nodiscard]] std::unique_ptr<Job> pop() {
        if (ready_.empty()) {
            return nullptr;
        }
        std::pop_heap(ready_.begin(), ready_.end(), runsLater);
        std::unique_ptr<Job> job = std::move(ready_.back().job);
        ready_.pop_back();
        return job;
    }

    // The waiting job with this id; nullptr where there is none.
    [[nodiscard]] Job* findWaiting(uint64_t requestId) noexcept {
        const auto it = locate(requestId);
        return it == waiting_.end() ? nullptr : it->job.get();
    }

    // Takes it out.
    [[nodiscard]] std::unique_ptr<Job> takeWaiting(uint64_t requestId) {
        const auto it = locate(requestId);
        if (it == waiting_.end()) {
            return nullptr;
        }
        std::unique_ptr<Job> job = std::move(it->job);
        waiting_.erase(it);
        return job;
    }

    // It may run now. False where there is none.
    bool markReady(uint64_t requestId) {
        const auto it = locate(requestId);
        if (it == waiting_.end()) {
            return false;
        }
        Entry entry = std::move(*it);
        waiting_.erase(it);
        pushReady(std::move(entry));
        return true;
    }

    // Every job that has not started, ready and waiting; the queue is empty afterwards.
    [[nodiscard]] std::vector<std::unique_ptr<Job>> takeAll() {
        std::vector<std::unique_ptr<Job>> jobs;
        jobs.reserve(size());
        while (auto job = pop()) {
            jobs.push_back(std::move(job));
        }
        for (Entry& entry : waiting_) {
            jobs.push_back(std::move(entry.job));
        }
        waiting_.clear();
        return jobs;
    }

    [[nodiscard]] size_t size() const noexcept { return ready_.size() + waiting_.size(); }
    [[nodiscard]] bool hasReady() const noexcept { return !ready_.empty(); }

  private:
    struct Entry {
        std::unique_ptr<Job> job;
        uint8_t priority;
        uint64_t requestId;
    };

    static bool runsLater(const Entry& a, const Entry& b) noexcept {
        return a.priority != b.priority ? a.priority < b.priority : a.requestId > b.requestId;
    }

    [[nodiscard]] auto locate(uint64_t requestId) noexcept {
        return std::find_if(waiting_.begin(), waiting_.end(),
                            [requestId](const Entry& entry) { return entry.requestId == requestId; });
    }

    void pushReady(Entry entry) {
        ready_.push_back(std::move(entry));
        std::push_heap(ready_.begin(), ready_.end(), runsLater);
    }

    std::vector<Entry> ready_;    // a heap
    std::vector<Entry> waiting_;  // in no order
};

}  // namespace larod::session
