// SPDX-License-Identifier: Apache-2.0
// larod.h: job requests and jobs.
#include <memory>
#include <utility>

#include "client/guard.h"
#include "client/job_request.h"
#include "client/map.h"
#include "client/model.h"
#include "client/run_job.h"

using namespace larod::client;
using larod::Direction;
using larod::Error;
namespace wire = larod::wire;

LAROD_EXPORT larodJobRequest* larodCreateJobRequest(const larodModel* model, larodTensor** inputTensors,
                                                    size_t numInputs, larodTensor** outputTensors, size_t numOutputs,
                                                    larodMap* params, larodError** error) {
    return guard<larodJobRequest*>(error, nullptr, [&] {
        require(model, "model");
        auto request = std::make_unique<larodJobRequest>();
        request->modelId = model->info.id;
        request->inputs = copyTensors(inputTensors, numInputs, Direction::Input);
        request->outputs = copyTensors(outputTensors, numOutputs, Direction::Output);
        request->params = paramsOf(params);
        return request.release();
    });
}

LAROD_EXPORT void larodDestroyJobRequest(larodJobRequest** jobReq) {
    if (jobReq != nullptr) {
        delete std::exchange(*jobReq, nullptr);
    }
}

LAROD_EXPORT bool larodSetJobRequestModel(larodJobRequest* jobReq, const larodModel* model, larodError** error) {
    return guard(error, [&] {
        require(jobReq, "jobReq");
        require(model, "model");
        jobReq->modelId = model->info.id;
    });
}

LAROD_EXPORT bool larodSetJobRequestInputs(larodJobRequest* jobReq, larodTensor** tensors, const size_t numTensors,
                                           larodError** error) {
    return guard(error, [&] {
        require(jobReq, "jobReq");
        jobReq->inputs = copyTensors(tensors, numTensors, Direction::Input);
    });
}

LAROD_EXPORT bool larodSetJobRequestOutputs(larodJobRequest* jobReq, larodTensor** tensors, const size_t numTensors,
                                            larodError** error) {
    return guard(error, [&] {
        require(jobReq, "jobReq");
        jobReq->outputs = copyTensors(tensors, numTensors, Direction::Output);
    });
}

LAROD_EXPORT bool larodSetJobRequestPriority(larodJobRequest* jobReq, const uint8_t priority, larodError** error) {
    return guard(error, [&] {
        require(jobReq, "jobReq");
        if (priority > wire::kMaxPriority) {
            throw Error(EINVAL, "priority {} is above the highest, {}", priority, wire::kMaxPriority);
        }
        jobReq->priority = priority;
    });
}

LAROD_EXPORT bool larodSetJobRequestParams(larodJobRequest* jobReq, const larodMap* params, larodError** error) {
    return guard(error, [&] {
        require(jobReq, "jobReq");
        jobReq->params = paramsOf(params);
    });
}

LAROD_EXPORT bool larodRunJob(larodConnection* conn, const larodJobRequest* jobReq, larodError** error) {
    return guard(error, [&] { runJob(conn, jobReq, SyncNative::ByClient); });
}

LAROD_EXPORT bool larodRunJobAsync(larodConnection* conn, const larodJobRequest* jobReq, larodRunJobCallback callback,
                                   void* userData, larodError** error) {
    return guard(error, [&] { startJob(conn, jobReq, SyncNative::ByClient, callback, userData); });
}
