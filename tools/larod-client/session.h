// SPDX-License-Identifier: Apache-2.0
// The tool's connection to the service, and what a command does with it.
#pragma once

#include "larod-client/handles.h"
#include "larod-client/options.h"

namespace larod::tools {

// Thread: one.
class Session {
  public:
    enum class Kind : uint8_t {
        OneCommand,  // what it loads for itself is deleted at its end
        Script,      // many commands: what they load stays
        Terminal,    // as Script, and Ctrl-C ends the jobs of a command, not the tool: the caller has StopSignals
    };

    explicit Session(Kind kind) : kind_(kind) {}

    // Connects where that is not done yet. `quiet`: without telling so. Throws ToolError.
    larodConnection* connect(bool quiet);

    // Throws ToolError.
    void execute(const Options& options);

  private:
    void useModel(larodConnection* conn, const Options& options) const;

    Kind kind_;
    ConnectionHandle connection_;
};

}  // namespace larod::tools
