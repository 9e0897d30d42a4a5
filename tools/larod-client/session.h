// SPDX-License-Identifier: Apache-2.0
// The tool's connection to the service, and what a command does with it.
#pragma once

#include "larod-client/handles.h"
#include "larod-client/options.h"

namespace larod::tools {

// Thread: one.
class Session {
  public:
    enum class Models : uint8_t {
        Delete,  // a private model is deleted when its command is done
        Keep,    // it stays until the end of the session
    };

    explicit Session(Models models) : models_(models) {}

    // Connects where that is not done yet. `quiet`: without telling so. Throws ToolError.
    larodConnection* connect(bool quiet);

    // Throws ToolError.
    void execute(const Options& options);

  private:
    void loadAndRun(larodConnection* conn, const Options& options) const;

    Models models_;
    ConnectionHandle connection_;
};

}  // namespace larod::tools
