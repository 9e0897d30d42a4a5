// SPDX-License-Identifier: Apache-2.0
// Several connections that run the same jobs at once.
#pragma once

#include <memory>
#include <vector>

#include "larod-client/handles.h"
#include "larod-client/options.h"
#include "larod-client/run.h"

namespace larod::tools {

// A connection beside the tool's own, with a model and buffers of its own. Thread: one at a time.
class LoadClient {
  public:
    // Connects, loads the model and makes the buffers, as the tool does for itself; what comes out is not kept. Throws
    // ToolError.
    LoadClient(const Options& options, uint64_t seed);

    [[nodiscard]] larodConnection* connection() const noexcept { return connection_.get(); }
    [[nodiscard]] const larodJobRequest* request() const noexcept { return request_.get(); }

  private:
    ConnectionHandle connection_;
    ModelHandle model_;
    std::unique_ptr<const JobBuffers> buffers_;
    RequestHandle request_;
};

// options.measure.clients - 1 of them. Throws ToolError, also on stopRequested().
[[nodiscard]] std::vector<std::unique_ptr<LoadClient>> makeLoadClients(const Options& options, uint64_t seed);

// A request on its connection, and who sees its rounds.
struct LoadPart {
    larodConnection* connection;
    const larodJobRequest* request;
    JobObserver* observer;
};

// Runs the measured rounds of each on a thread of its own; all begin together. When it is done no job is outstanding,
// also when it throws: ToolError, the first of what went wrong.
void runTogether(const std::vector<LoadPart>& parts, const Options& options);

}  // namespace larod::tools
