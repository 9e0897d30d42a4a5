// SPDX-License-Identifier: Apache-2.0
#include "device/v4l2/driver_thread.h"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include "base/error.h"

namespace larod::device::v4l2 {
namespace {

struct Call {
    DriverThread::Work work;
    bool done = false;
    std::exception_ptr error;
};

}  // namespace

struct DriverThread::Shared {
    std::mutex mutex;  // guards what follows; not what a call has that is being done
    std::condition_variable arrived;
    std::condition_variable done;
    std::deque<std::shared_ptr<Call>> calls;
    bool overdue = false;  // somebody has given up waiting for what the thread does now
    bool stopped = false;

    std::shared_ptr<void> owned;  // the thread's

    void serve() {
        std::unique_lock lock(mutex);
        for (;;) {
            arrived.wait(lock, [this] { return stopped || !calls.empty(); });
            if (stopped) {
                break;
            }
            const std::shared_ptr<Call> call = std::move(calls.front());
            calls.pop_front();
            lock.unlock();
            try {
                call->work(owned);
            } catch (...) {
                call->error = std::current_exception();
            }
            call->work = nullptr;  // what it refers to ends here, not in the thread that waits
            lock.lock();
            call->done = true;
            overdue = false;
            done.notify_all();
        }
        const auto left = std::exchange(calls, {});
        lock.unlock();
        owned.reset();
    }
};

DriverThread::DriverThread() : shared_(std::make_shared<Shared>()) {
    std::thread([shared = shared_] { shared->serve(); }).detach();
}

DriverThread::~DriverThread() {
    const std::lock_guard lock(shared_->mutex);
    shared_->stopped = true;
    shared_->arrived.notify_one();
}

void DriverThread::call(Work work, uint64_t limitMs, int code) {
    const auto call = std::make_shared<Call>(Call{std::move(work), false, nullptr});
    std::unique_lock lock(shared_->mutex);
    if (shared_->overdue) {
        throw Error(code, "the driver has not returned yet from an earlier call, which has taken too long");
    }
    shared_->calls.push_back(call);
    shared_->arrived.notify_one();
    if (!shared_->done.wait_for(lock, std::chrono::milliseconds(limitMs), [&call] { return call->done; })) {
        std::erase(shared_->calls, call);
        shared_->overdue = true;
        throw Error(code, "the driver has not returned within {} ms", limitMs);
    }
    if (call->error) {
        std::rethrow_exception(call->error);
    }
}

void DriverThread::post(Work work) {
    const std::lock_guard lock(shared_->mutex);
    shared_->calls.push_back(std::make_shared<Call>(Call{std::move(work), false, nullptr}));
    shared_->arrived.notify_one();
}

}  // namespace larod::device::v4l2
