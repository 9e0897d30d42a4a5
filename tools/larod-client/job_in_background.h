// SPDX-License-Identifier: Apache-2.0
// A job that runs while its starter does something else.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>

#include "larod-client/tool_error.h"
#include "larod.h"

namespace larod::tools {

// Thread: one at a time, but for the library's, which tells the end. The destructor waits for it. The request and the
// connection outlive it.
class JobInBackground {
  public:
    JobInBackground(larodConnection* conn, const larodJobRequest* request) : conn_(conn), request_(request) {}
    ~JobInBackground();
    JobInBackground(const JobInBackground&) = delete;
    JobInBackground& operator=(const JobInBackground&) = delete;

    // Not while it runs. Throws ToolError.
    void start();

    // Until its end; one without power is repeated as power_wait.h says. Throws ToolError where it failed.
    void wait();

  private:
    larodConnection* conn_;
    const larodJobRequest* request_;
    std::mutex mutex_;  // guards what follows
    std::condition_variable ended_;
    bool running_ = false;
    std::optional<ToolError> failure_;
};

}  // namespace larod::tools
