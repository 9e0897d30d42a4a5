// SPDX-License-Identifier: Apache-2.0
// larod.h: what only version 2 of the interface has, but for chips.
#define LAROD_API_VERSION_2
#include "client/chip.h"
#include "client/connection.h"
#include "client/guard.h"
#include "client/load_model.h"
#include "client/run_job.h"

using namespace larod::client;

namespace {

const larodDevice* deviceOf(const larodConnection* conn, larodChip chip) {
    require(conn, "conn");
    return &deviceOfChip(conn->devices(), chip);
}

}  // namespace

LAROD_EXPORT larodModel* larodLoadModel_API_VERSION_2(larodConnection* conn, const int fd, const larodChip chip,
                                                      const larodAccess access, const char* name,
                                                      const larodMap* params, larodError** error) {
    return guard<larodModel*>(
        error, nullptr, [&] { return loadModel(conn, fd, deviceOf(conn, chip), access, name, params).release(); });
}

LAROD_EXPORT bool larodLoadModelAsync_API_VERSION_2(larodConnection* conn, const int fd, const larodChip chip,
                                                    const larodAccess access, const char* name, const larodMap* params,
                                                    larodLoadModelCallback callback, void* userData,
                                                    larodError** error) {
    return guard(error,
                 [&] { startLoadModel(conn, fd, deviceOf(conn, chip), access, name, params, callback, userData); });
}

LAROD_EXPORT bool larodRunJob_API_VERSION_2(larodConnection* conn, const larodJobRequest* jobReq, larodError** error) {
    return guard(error, [&] { runJob(conn, jobReq, SyncNative::ByService); });
}

LAROD_EXPORT bool larodRunJobAsync_API_VERSION_2(larodConnection* conn, const larodJobRequest* jobReq,
                                                 larodRunJobCallback callback, void* userData, larodError** error) {
    return guard(error, [&] { startJob(conn, jobReq, SyncNative::ByService, callback, userData); });
}
