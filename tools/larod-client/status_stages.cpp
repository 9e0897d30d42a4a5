// SPDX-License-Identifier: Apache-2.0
// Where the time of jobs goes inside the service.
#include "larod-client/status_stages.h"

#include <unistd.h>

#include "larod-client/status_client.h"
#include "larod-client/tool_error.h"

namespace larod::tools {

JobStages JobStages::since(const JobStages& earlier) const noexcept {
    return {jobs - earlier.jobs, waitNs - earlier.waitNs, bindNs - earlier.bindNs, runNs - earlier.runNs,
            syncNs - earlier.syncNs};
}

std::variant<JobStages, std::string> readOwnStages() {
    try {
        JobStages stages;
        bool found = false;
        for (const wire::SessionStatus& session : readStatus().sessions) {
            // The session that asks is one of these; it runs no job.
            if (session.clientPid == ::getpid()) {
                found = true;
                stages.jobs += session.jobsDone;
                stages.waitNs += session.waitTimeNs;
                stages.bindNs += session.bindTimeNs;
                stages.runNs += session.runTimeNs;
                stages.syncNs += session.syncTimeNs;
            }
        }
        if (!found) {
            return std::string("the service knows this process by another number");
        }
        return stages;
    } catch (const ToolError& error) {
        return std::string(error.what());
    }
}

}  // namespace larod::tools
