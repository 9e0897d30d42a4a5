// SPDX-License-Identifier: Apache-2.0
// Opens device nodes for sessions. Not on the arbiter's thread: a driver may hold its lock while another's close waits
// for hardware that hangs.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/unique_fd.h"
#include "service/device_turns.h"

namespace larod::service {

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
        UniqueFd node;  // for reading and writing, does not block
        int error = 0;  // errno where there is none
    };

    NodeOpener();
    ~NodeOpener();
    NodeOpener(const NodeOpener&) = delete;
    NodeOpener& operator=(const NodeOpener&) = delete;

    // Requests of one node are served one after the other. Throws Error(LAROD_ERROR_CONNECTION) for a session that does
    // not wait for its answers, so that none can make the queue long, and LAROD_ERROR_LOAD_MODEL without a thread.
    void start(Request request);

    // Readable when take() has something.
    [[nodiscard]] int fd() const noexcept;
    [[nodiscard]] std::optional<Result> take();

  private:
    struct Shared;
    const std::shared_ptr<Shared> shared_;  // with threads that may outlive the object
};

}  // namespace larod::service
