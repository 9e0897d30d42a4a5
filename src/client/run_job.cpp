// SPDX-License-Identifier: Apache-2.0
#include "client/run_job.h"

#include <cerrno>
#include <memory>

#include "client/guard.h"
#include "client/job_request.h"

namespace larod::client {
namespace {

class AsyncJob final : public AsyncRequest {
  public:
    AsyncJob(larodRunJobCallback callback, void* userData) noexcept : callback_(callback), userData_(userData) {}

    Reply& reply() noexcept override { return reply_; }

    void finish(int code, std::string_view text) noexcept override {
        larodError* error = code == LAROD_ERROR_NONE ? nullptr : makeError(code, text);
        callback_(userData_, error);
        destroyError(error);
    }

  private:
    larodRunJobCallback callback_;
    void* userData_;
    MessageReply<wire::Done> reply_;
};

}  // namespace

void runJob(larodConnection* conn, const larodJobRequest* jobReq, SyncNative sync) {
    require(conn, "conn");
    require(jobReq, "jobReq");
    conn->call<wire::Done>(JobRunRequest(*jobReq, sync == SyncNative::ByService));
}

void startJob(larodConnection* conn, const larodJobRequest* jobReq, SyncNative sync, larodRunJobCallback callback,
              void* userData) {
    require(conn, "conn");
    require(jobReq, "jobReq");
    if (callback == nullptr) {
        throw Error(EINVAL, "'callback' must not be NULL");
    }
    conn->start(JobRunRequest(*jobReq, sync == SyncNative::ByService), std::make_unique<AsyncJob>(callback, userData));
}

}  // namespace larod::client
