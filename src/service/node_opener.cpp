// SPDX-License-Identifier: Apache-2.0
#include "service/node_opener.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <system_error>
#include <thread>
#include <utility>

#include "base/error.h"
#include "service/result_queue.h"

namespace larod::service {

struct NodeOpener::Shared {
    explicit Shared(NodeOpen itsOpen) : open(std::move(itsOpen)) {}

    const NodeOpen open;
    ResultQueue<Result> results;

    struct Waiting {
        Request request;
        uint64_t deadlineNs = 0;
        bool served = false;
    };

    std::mutex mutex;              // guards what follows
    std::deque<Waiting> waiting;   // in the order of arrival
    std::set<std::string> served;  // the paths that have a thread
    bool stopped = false;

    // Serves a node until nobody waits for it.
    static void serve(const std::shared_ptr<Shared>& shared, const std::string& path) {
        std::unique_lock lock(shared->mutex);
        for (;;) {
            const auto next = std::ranges::find_if(
                shared->waiting, [&path](const Waiting& each) { return !each.served && each.request.path == path; });
            if (shared->stopped || next == shared->waiting.end()) {
                shared->served.erase(path);
                return;
            }
            next->served = true;
            const SessionKey session = next->request.session;
            const uint64_t requestId = next->request.requestId;
            lock.unlock();
            UniqueFd node(shared->open(path));
            const int error = node ? 0 : errno;
            lock.lock();
            const auto still = std::ranges::find_if(shared->waiting, [&](const Waiting& each) {
                return each.request.session == session && each.request.requestId == requestId;
            });
            if (still == shared->waiting.end()) {
                lock.unlock();
                node.reset();  // which may take its time, too
                lock.lock();
                continue;
            }
            Result result{std::move(still->request), std::move(node), error};
            shared->waiting.erase(still);
            shared->results.put(std::move(result));
        }
    }
};

int openNode(const std::string& path) {
    return ::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
}

NodeOpener::NodeOpener(NodeOpen open) : shared_(std::make_shared<Shared>(std::move(open))) {}

NodeOpener::~NodeOpener() {
    const std::lock_guard lock(shared_->mutex);
    shared_->stopped = true;
}

void NodeOpener::start(Request request, uint64_t nowNs) {
    const std::lock_guard lock(shared_->mutex);
    for (const Shared::Waiting& each : shared_->waiting) {
        if (each.request.session == request.session) {
            throw Error(LAROD_ERROR_CONNECTION, "a second node was to be opened before the first one was");
        }
    }
    const std::string path = request.path;
    shared_->waiting.push_back({std::move(request), nowNs + kOpenTimeoutNs});
    if (!shared_->served.insert(path).second) {
        return;
    }
    try {
        std::thread([shared = shared_, path] { Shared::serve(shared, path); }).detach();
    } catch (const std::system_error& error) {
        shared_->served.erase(path);
        shared_->waiting.pop_back();
        throw Error(LAROD_ERROR_LOAD_MODEL, "can't open {}: {}", path, error.what());
    }
}

void NodeOpener::close(UniqueFd node) noexcept {
    if (!node) {
        return;
    }
    const int fd = node.release();
    try {
        std::thread([fd] { ::close(fd); }).detach();
    } catch (const std::system_error&) {
        ::close(fd);
    }
}

int NodeOpener::fd() const noexcept {
    return shared_->results.fd();
}

std::optional<NodeOpener::Result> NodeOpener::take() {
    return shared_->results.take();
}

std::optional<NodeOpener::Result> NodeOpener::takeLate(uint64_t nowNs) {
    const std::lock_guard lock(shared_->mutex);
    if (shared_->waiting.empty() || shared_->waiting.front().deadlineNs > nowNs) {
        return std::nullopt;
    }
    Result result{std::move(shared_->waiting.front().request), {}, ETIMEDOUT};
    shared_->waiting.pop_front();
    return result;
}

std::optional<uint64_t> NodeOpener::nextDeadline() const {
    const std::lock_guard lock(shared_->mutex);
    return shared_->waiting.empty() ? std::nullopt : std::optional(shared_->waiting.front().deadlineNs);
}

}  // namespace larod::service
