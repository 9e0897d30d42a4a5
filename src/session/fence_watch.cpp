// SPDX-License-Identifier: Apache-2.0
#include "session/fence_watch.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/monotonic_time.h"

namespace larod::session {
namespace {

// poll(2) of a dma-buf: readable when nobody writes it, writable when nobody uses it.
short eventsOf(const Job& job, Direction direction) noexcept {
    const bool reads =
        direction == Direction::Input && !(job.request.syncNative && job.model->device().capabilities().native);
    return reads ? POLLIN : POLLOUT;
}

// Longest sleep, and that of a watch that nobody can wake, since no descriptor was free.
constexpr uint64_t kSleepMs = 60'000;
constexpr uint64_t kSleepUnwakableMs = 10;

int millisecondsUntil(uint64_t deadlineNs, uint64_t atMost) noexcept {
    const uint64_t now = monotonicNs();
    return deadlineNs <= now ? 0 : static_cast<int>(std::min<uint64_t>((deadlineNs - now) / 1'000'000 + 1, atMost));
}

template <typename Function>
void forEachDmaBuf(const Job& job, Function&& function) {
    for (const Direction direction : {Direction::Input, Direction::Output}) {
        const auto& tensors = direction == Direction::Input ? job.inputs : job.outputs;
        for (size_t i = 0; i < tensors.size(); ++i) {
            if (tensors[i]->isDmaBuf()) {
                function(tensors[i], TensorPlace{direction, i});
            }
        }
    }
}

}  // namespace

std::optional<BusyBuffer> findBusyBuffer(Job& job) {
    std::vector<pollfd>& polls = job.polls;
    polls.clear();
    forEachDmaBuf(job, [&](const std::shared_ptr<Tensor>& tensor, TensorPlace place) {
        polls.push_back({tensor->fd(), eventsOf(job, place.direction), 0});
    });
    if (polls.empty()) {
        return std::nullopt;
    }
    int ready = 0;
    do {
        ready = ::poll(polls.data(), polls.size(), 0);
    } while (ready < 0 && errno == EINTR);
    // An error is none here: whatever is wrong with a buffer, its use will tell.
    if (ready < 0 || ready == static_cast<int>(polls.size())) {
        return std::nullopt;
    }
    std::optional<BusyBuffer> busy;
    size_t next = 0;
    forEachDmaBuf(job, [&](const std::shared_ptr<Tensor>& tensor, TensorPlace place) {
        const pollfd& polled = polls[next++];
        if (polled.revents == 0 && !busy) {
            busy = BusyBuffer{tensor, place, polled.events};
        }
    });
    return busy;
}

void FenceWatch::add(uint32_t unit, uint64_t requestId, const BusyBuffer& buffer, uint64_t deadlineNs) {
    const std::lock_guard lock(mutex_);
    if (stopped_) {
        return;
    }
    if (!wake_) {
        wake_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    }
    waits_.push_back({unit, requestId, buffer.tensor, buffer.events, deadlineNs});
    if (watching_) {
        wake();
    } else {
        watching_ = true;
        pool_.run([this] { watch(); });
    }
}

void FenceWatch::stop() noexcept {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    waits_.clear();
    if (watching_) {
        wake();
    }
}

void FenceWatch::wake() noexcept {
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof(one));
}

void FenceWatch::watch() {
    std::vector<pollfd> polls;
    std::vector<std::shared_ptr<Tensor>> polled;  // keep the fds open meanwhile
    std::vector<std::pair<Wait, Outcome>> over;
    for (;;) {
        uint64_t deadline = UINT64_MAX;
        {
            const std::lock_guard lock(mutex_);
            if (waits_.empty()) {
                watching_ = false;
                return;
            }
            polls.assign(1, {wake_.get(), POLLIN, 0});
            polled.clear();
            for (const Wait& wait : waits_) {
                polls.push_back({wait.tensor->fd(), wait.events, 0});
                polled.push_back(wait.tensor);
                deadline = std::min(deadline, wait.deadlineNs);
            }
        }
        const int patience = millisecondsUntil(deadline, polls[0].fd < 0 ? kSleepUnwakableMs : kSleepMs);
        if (::poll(polls.data(), polls.size(), patience) < 0 && errno != EINTR) {
            // Not for lack of memory, surely; whoever waits is told by the use of the buffer.
            std::for_each(polls.begin(), polls.end(), [](pollfd& poll) { poll.revents = poll.events; });
        }
        uint64_t ignored = 0;
        [[maybe_unused]] const ssize_t got = ::read(wake_.get(), &ignored, sizeof(ignored));
        {
            const std::lock_guard lock(mutex_);
            const uint64_t now = monotonicNs();
            const size_t count = std::min(waits_.size(), polled.size());  // later ones were not polled
            std::vector<Wait> rest;
            for (size_t i = 0; i < waits_.size(); ++i) {
                if (i < count && polls[i + 1].revents != 0) {
                    over.emplace_back(std::move(waits_[i]), Outcome::Signalled);
                } else if (waits_[i].deadlineNs <= now) {
                    over.emplace_back(std::move(waits_[i]), Outcome::TimedOut);
                } else {
                    rest.push_back(std::move(waits_[i]));
                }
            }
            waits_.swap(rest);
        }
        for (const auto& [wait, outcome] : over) {
            report_(wait.unit, wait.requestId, outcome);
        }
        over.clear();
    }
}

}  // namespace larod::session
