// SPDX-License-Identifier: Apache-2.0
// Opens device nodes for sessions. Not on the arbiter's thread: a driver may hold its lock while another's close waits
// for hardware that hangs.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/unique_fd.h"
#include "service/device_turns.h"

namespace larod::service {

// After that long a session is told that its node does not open: meanwhile it can ask the arbiter for nothing else.
inline constexpr uint64_t kOpenTimeoutNs = 2'000'000'000;

// Opens a node for reading and writing, without blocking: a descriptor, or -1 and errno. Thread: any.
using NodeOpen = std::function<int(const std::string& path)>;
[[nodiscard]] int openNode(const std::string& path);

// Thread: the arbiter's. Each node has a thread of its own while it is being opened, so that no driver keeps others
// waiting; one that never ends is left behind.
class NodeOpener {
  public:
    struct Request {
        SessionKey session = 0;
        uint64_t requestId = 0;  // of the session's message
        std::string path;
    };
    struct Result {
        Request request;
        UniqueFd node;
        int error = 0;  // errno where there is none; ETIMEDOUT: it was not opened in time
    };

    explicit NodeOpener(NodeOpen open = openNode);
    ~NodeOpener();
    NodeOpener(const NodeOpener&) = delete;
    NodeOpener& operator=(const NodeOpener&) = delete;

    // Requests of one node are served one after the other. Throws Error(LAROD_ERROR_CONNECTION) for a session that does
    // not wait for its answers, so that none can make the queue long, and LAROD_ERROR_LOAD_MODEL without a thread.
    void start(Request request, uint64_t nowNs);

    // Closes a node that may be nobody else's any more: that can wait for the hardware.
    static void close(UniqueFd node) noexcept;

    // Readable when take() has something.
    [[nodiscard]] int fd() const noexcept;
    [[nodiscard]] std::optional<Result> take();

    // A request that has waited too long; what is opened for it later is closed.
    [[nodiscard]] std::optional<Result> takeLate(uint64_t nowNs);
    // When there will be one.
    [[nodiscard]] std::optional<uint64_t> nextDeadline() const;

  private:
    struct Shared;
    const std::shared_ptr<Shared> shared_;  // with threads that may outlive the object
};

}  // namespace larod::service
