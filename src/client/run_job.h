// SPDX-License-Identifier: Apache-2.0
// Running jobs: what the run functions of all API versions share.
#pragma once

#include "client/connection.h"
#include "larod.h"

namespace larod::client {

// Who synchronises the CPU cache for a dma-buf that a device takes without mapping it (wire::RunJob::syncNative).
enum class SyncNative : bool {
    ByClient = false,
    ByService = true,  // API versions 1 and 2
};

// Both throw Error for what larodRunJob and larodRunJobAsync fail with.
void runJob(larodConnection* conn, const larodJobRequest* jobReq, SyncNative sync);
void startJob(larodConnection* conn, const larodJobRequest* jobReq, SyncNative sync, larodRunJobCallback callback,
              void* userData);

}  // namespace larod::client
