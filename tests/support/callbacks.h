// SPDX-License-Identifier: Apache-2.0
// What the callbacks of asynchronous jobs said, for a test to wait for.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "larod.h"

namespace larod::test {

// Counts callbacks and keeps their codes, in the order in which they came. Outlives its jobs.
class Callbacks {
  public:
    // A larodRunJobCallback; its user data is the object.
    static void done(void* userData, larodError* error) {
        auto* self = static_cast<Callbacks*>(userData);
        const std::lock_guard lock(self->mutex_);
        self->codes_.push_back(error == nullptr ? LAROD_ERROR_NONE : error->code);
        self->changed_.notify_all();
    }
    std::vector<int> waitFor(size_t count) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return codes_.size() >= count; });
        return codes_;
    }
    [[nodiscard]] size_t count() const {
        const std::lock_guard lock(mutex_);
        return codes_.size();
    }

  private:
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<int> codes_;
};

// A value that a callback gives to the thread that waits for it. Unlike a std::promise, it may be destroyed as soon as
// get() has returned, while the callback is still on its way out of set().
template <typename T>
class Awaited {
  public:
    void set(T value) {
        const std::lock_guard lock(mutex_);
        value_ = std::move(value);
        changed_.notify_all();
    }
    T get() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return value_.has_value(); });
        return *value_;
    }
    [[nodiscard]] bool isThere() const {
        const std::lock_guard lock(mutex_);
        return value_.has_value();
    }

  private:
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::optional<T> value_;
};

// The tags of jobs in the order of their callbacks.
class CallbackOrder {
  public:
    struct Tag {
        CallbackOrder* order;
        int value;
        static void done(void* userData, larodError* error) {
            const auto* self = static_cast<Tag*>(userData);
            self->order->add(self->value, error);
        }
    };

    std::vector<int> waitFor(size_t count) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return tags_.size() >= count; });
        return tags_;
    }
    [[nodiscard]] std::vector<int> codes() const {
        const std::lock_guard lock(mutex_);
        return codes_;
    }

  private:
    void add(int tag, const larodError* error) {
        const std::lock_guard lock(mutex_);
        tags_.push_back(tag);
        codes_.push_back(error == nullptr ? LAROD_ERROR_NONE : error->code);
        changed_.notify_all();
    }

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<int> tags_;
    std::vector<int> codes_;
};

}  // namespace larod::test
