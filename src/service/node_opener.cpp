// SPDX-License-Identifier: Apache-2.0
#include "service/node_opener.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <map>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "base/error.h"

namespace larod::service {

struct NodeOpener::Shared {
    const UniqueFd ready{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE)};  // counts the results

    std::mutex mutex;                                    // guards what follows
    std::map<std::string, std::deque<Request>> waiting;  // by path; there while a thread serves it
    std::deque<Result> results;
    bool stopped = false;

    // Serves a node until nobody waits for it.
    static void serve(const std::shared_ptr<Shared>& shared, const std::string& path) {
        std::unique_lock lock(shared->mutex);
        for (;;) {
            const auto requests = shared->waiting.find(path);
            if (shared->stopped || requests->second.empty()) {
                shared->waiting.erase(requests);
                return;
            }
            Result result{std::move(requests->second.front()), {}, 0};
            requests->second.pop_front();
            lock.unlock();
            result.node.reset(::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
            result.error = result.node ? 0 : errno;
            lock.lock();
            shared->results.push_back(std::move(result));
            const uint64_t one = 1;
            [[maybe_unused]] const ssize_t written = ::write(shared->ready.get(), &one, sizeof(one));
        }
    }
};

NodeOpener::NodeOpener() : shared_(std::make_shared<Shared>()) {
    if (!shared_->ready) {
        throw Error(LAROD_ERROR_CONNECTION, "can't make an event descriptor: {}", errnoText(errno));
    }
}

NodeOpener::~NodeOpener() {
    const std::lock_guard lock(shared_->mutex);
    shared_->stopped = true;
}

void NodeOpener::start(Request request) {
    const std::lock_guard lock(shared_->mutex);
    const std::string path = request.path;
    for (const auto& [node, requests] : shared_->waiting) {
        if (std::ranges::find(requests, request.session, &Request::session) != requests.end()) {
            throw Error(LAROD_ERROR_CONNECTION, "a second node was to be opened before the first one was");
        }
    }
    const bool served = shared_->waiting.contains(path);
    shared_->waiting[path].push_back(std::move(request));
    if (served) {
        return;
    }
    try {
        std::thread([shared = shared_, path] { Shared::serve(shared, path); }).detach();
    } catch (const std::system_error& error) {
        shared_->waiting.erase(path);
        throw Error(LAROD_ERROR_LOAD_MODEL, "can't open {}: {}", path, error.what());
    }
}

int NodeOpener::fd() const noexcept {
    return shared_->ready.get();
}

std::optional<NodeOpener::Result> NodeOpener::take() {
    uint64_t one = 0;
    if (::read(shared_->ready.get(), &one, sizeof(one)) != static_cast<ssize_t>(sizeof(one))) {
        return std::nullopt;
    }
    const std::lock_guard lock(shared_->mutex);
    Result result = std::move(shared_->results.front());
    shared_->results.pop_front();
    return result;
}

}  // namespace larod::service
