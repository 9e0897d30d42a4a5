// SPDX-License-Identifier: Apache-2.0
// Api 2.1 and 17: each function with each code that it can be brought to fail with.
#include <fcntl.h>
#include <unistd.h>

#include <climits>
#include <functional>
#include <utility>

#include "conformance/service.h"
#include "support/callbacks.h"
#include "support/tflite_writer.h"

namespace larod::test {
namespace {

// Everything that the calls below need, with one connection, and another one with a private model.
struct World {
    World()
        : model(echoModel(client, 16)),
          foreign(echoModel(other, 16)),
          deleted(echoModel(client, 16)),
          inputs(allocTensors(client, model, Side::Inputs)),
          outputs(allocTensors(client, model, Side::Outputs)),
          own(ownTensors(client, model, Side::Inputs, fds)) {
        EXPECT_TRUE(larodDeleteModel(client.get(), deleted.get(), nullptr));
        debug = client.device(kDebug);
        map.set("text", "value").set("number", 1).set("two", 1, 2).set("four", 1, 2, 3, 4);
    }

    PrivateService service;
    Client client;
    Client other;
    LoadedModel model;
    LoadedModel foreign;  // private, of `other`
    LoadedModel deleted;
    Tensors inputs;  // allocated, so tracked
    Tensors outputs;
    std::vector<UniqueFd> fds;
    Tensors own;
    const larodDevice* debug = nullptr;
    Params map;
    Params empty;
};

// A call that must fail: it gives true where it did not, or where its failure value is not the one of the function.
using Function = bool (*)(World& w, larodError** error);

struct Cell {
    const char* name;  // FUNCTION_CODE
    int code;
    Function wrong;
};

larodModel* load(World& w, int fd, const larodDevice* device, larodAccess access, const larodMap* params,
                 larodError** error) {
    return larodLoadModel(w.client.get(), fd, device, access, "", params, error);
}

bool loadAsync(World& w, int fd, const larodDevice* device, larodAccess access, const larodMap* params,
               larodLoadModelCallback callback, larodError** error) {
    return larodLoadModelAsync(w.client.get(), fd, device, access, "", params, callback, nullptr, error);
}

void neverCalled(larodModel* /*model*/, void* /*userData*/, larodError* /*error*/) {
    ADD_FAILURE() << "a callback of a request that was not accepted";
}

void neverCalledJob(void* /*userData*/, larodError* /*error*/) {
    ADD_FAILURE() << "a callback of a request that was not accepted";
}

// Runs a job of the model with these tensors; `change` is made to the input first.
bool runs(World& w, const LoadedModel& model, larodTensor** inputs, size_t numInputs, larodError** error) {
    larodJobRequest* request =
        larodCreateJobRequest(model.get(), inputs, numInputs, w.outputs.get(), w.outputs.size(), nullptr, error);
    if (request == nullptr) {
        ADD_FAILURE() << "the failure is to come when the job runs";
        return true;
    }
    const bool done = larodRunJob(w.client.get(), request, error);
    larodDestroyJobRequest(&request);
    return done;
}

// The same, asynchronously: gives the callback's error as the call's.
struct AsyncOutcome {
    Awaited<int> code;
    static void done(void* userData, larodError* error) {
        static_cast<AsyncOutcome*>(userData)->code.set(error == nullptr ? 0 : error->code);
    }
};

int asyncCode(World& w, const LoadedModel& model, larodTensor** inputs, size_t numInputs) {
    larodJobRequest* request =
        larodCreateJobRequest(model.get(), inputs, numInputs, w.outputs.get(), w.outputs.size(), nullptr, nullptr);
    AsyncOutcome outcome;
    EXPECT_TRUE(larodRunJobAsync(w.client.get(), request, AsyncOutcome::done, &outcome, nullptr));
    larodDestroyJobRequest(&request);
    return outcome.code.get();
}

larodModel* acting(World& w, const char* key, const char* action) {
    Params params;
    params.set(key, action);
    return larodLoadModel(w.client.get(), -1, w.debug, LAROD_ACCESS_PRIVATE, "", params.get(), nullptr);
}

const larodTensorDims kFourDims = {{1, 2, 2, 4}, 4};
const larodTensorPitches kThreePitches = {{16, 8, 4}, 3};

// A tensor that no request takes: dims and pitches of different lengths.
larodTensor* inconsistent(World& w) {
    EXPECT_TRUE(larodSetTensorDims(w.own[0], &kFourDims, nullptr));
    EXPECT_TRUE(larodSetTensorPitches(w.own[0], &kThreePitches, nullptr));
    return w.own[0];
}

const std::string kLong(128, 'k');

#define CELL(function, codeName, code, ...)                                       \
    Cell {                                                                        \
        #function "_" #codeName, code, [](World& w, larodError** error) -> bool { \
            static_cast<void>(w);                                                 \
            __VA_ARGS__                                                           \
        }                                                                         \
    }
#define FAILS_NULL(function, codeName, code, ...) CELL(function, codeName, code, return (__VA_ARGS__) != nullptr;)
#define FAILS_BOOL(function, codeName, code, ...) CELL(function, codeName, code, return (__VA_ARGS__);)
#define FAILS_WITH(function, codeName, code, value, ...) \
    CELL(function, codeName, code, return (__VA_ARGS__) != (value);)

const Cell kConnection[] = {
    FAILS_BOOL(larodConnect, EINVAL, EINVAL, larodConnect(nullptr, error)),
    FAILS_BOOL(larodGetNumSessions, EINVAL, EINVAL, larodGetNumSessions(w.client.get(), nullptr, error)),
    FAILS_NULL(larodGetDevice, INVALID_CHIP_ID, LAROD_ERROR_INVALID_CHIP_ID,
               larodGetDevice(w.client.get(), "axis-a8-dlpu-none", 0, error)),
    FAILS_NULL(larodGetDevice, INVALID_CHIP_ID_instance, LAROD_ERROR_INVALID_CHIP_ID,
               larodGetDevice(w.client.get(), kDebug, 7, error)),
    FAILS_NULL(larodGetDevice, EINVAL, EINVAL, larodGetDevice(w.client.get(), nullptr, 0, error)),
    FAILS_NULL(larodGetDeviceName, EINVAL, EINVAL, larodGetDeviceName(nullptr, error)),
    FAILS_BOOL(larodGetDeviceInstance, EINVAL, EINVAL, larodGetDeviceInstance(w.debug, nullptr, error)),
    FAILS_NULL(larodListDevices, EINVAL, EINVAL, larodListDevices(w.client.get(), nullptr, error)),
};

const Cell kModels[] = {
    CELL(larodLoadModel, LOAD_MODEL, LAROD_ERROR_LOAD_MODEL, Params params; params.set("debug.load", "fail");
         return load(w, -1, w.debug, LAROD_ACCESS_PRIVATE, params.get(), error) != nullptr;),
    CELL(larodLoadModel, LOAD_MODEL_data, LAROD_ERROR_LOAD_MODEL,
         const UniqueFd junk = memoryFile(randomBytes(1000, 1));
         return load(w, junk.get(), w.client.device(kCpuTflite), LAROD_ACCESS_PRIVATE, nullptr, error) != nullptr;),
    FAILS_NULL(larodLoadModel, FD, LAROD_ERROR_FD, load(w, -1, w.debug, LAROD_ACCESS_PRIVATE, nullptr, error)),
    CELL(
        larodLoadModel, FD_unreadable, LAROD_ERROR_FD,
        const UniqueFd writeOnly(::open("/dev/null", O_WRONLY | O_CLOEXEC));
        return load(w, writeOnly.get(), w.client.device(kCpuTflite), LAROD_ACCESS_PRIVATE, nullptr, error) != nullptr;),
    FAILS_NULL(larodLoadModel, FD_closed, LAROD_ERROR_FD,
               load(w, 1 << 20, w.client.device(kCpuTflite), LAROD_ACCESS_PRIVATE, nullptr, error)),
    FAILS_NULL(larodLoadModel, INVALID_ACCESS, LAROD_ERROR_INVALID_ACCESS,
               load(w, -1, w.debug, LAROD_ACCESS_INVALID, w.empty.get(), error)),
    CELL(larodLoadModel, POWER_NOT_AVAILABLE, LAROD_ERROR_POWER_NOT_AVAILABLE, Params params;
         params.set("debug.load.power-refusals", 1);
         return load(w, -1, w.debug, LAROD_ACCESS_PRIVATE, params.get(), error) != nullptr;),
    FAILS_NULL(larodLoadModel, EINVAL, EINVAL, load(w, -1, nullptr, LAROD_ACCESS_PRIVATE, w.empty.get(), error)),
    FAILS_BOOL(larodLoadModelAsync, INVALID_ACCESS, LAROD_ERROR_INVALID_ACCESS,
               loadAsync(w, -1, w.debug, LAROD_ACCESS_INVALID, w.empty.get(), neverCalled, error)),
    FAILS_BOOL(larodLoadModelAsync, FD, LAROD_ERROR_FD,
               loadAsync(w, -1, w.debug, LAROD_ACCESS_PRIVATE, nullptr, neverCalled, error)),
    FAILS_BOOL(larodLoadModelAsync, EINVAL, EINVAL,
               loadAsync(w, -1, w.debug, LAROD_ACCESS_PRIVATE, w.empty.get(), nullptr, error)),
    FAILS_NULL(larodGetModel, MODEL_NOT_FOUND, LAROD_ERROR_MODEL_NOT_FOUND,
               larodGetModel(w.client.get(), 123456, error)),
    FAILS_NULL(larodGetModel, MODEL_NOT_FOUND_deleted, LAROD_ERROR_MODEL_NOT_FOUND,
               larodGetModel(w.client.get(), idOf(w.deleted), error)),
    FAILS_NULL(larodGetModel, MODEL_NOT_FOUND_invalid, LAROD_ERROR_MODEL_NOT_FOUND,
               larodGetModel(w.client.get(), LAROD_INVALID_MODEL_ID, error)),
    FAILS_BOOL(larodDeleteModel, PERMISSION, LAROD_ERROR_PERMISSION,
               larodDeleteModel(w.client.get(), w.foreign.get(), error)),
    FAILS_BOOL(larodDeleteModel, MODEL_NOT_FOUND, LAROD_ERROR_MODEL_NOT_FOUND,
               larodDeleteModel(w.client.get(), w.deleted.get(), error)),
    FAILS_BOOL(larodDeleteModel, EINVAL, EINVAL, larodDeleteModel(w.client.get(), nullptr, error)),
    FAILS_WITH(larodGetModelId, EINVAL, EINVAL, LAROD_INVALID_MODEL_ID, larodGetModelId(nullptr, error)),
    FAILS_NULL(larodGetModelDevice, EINVAL, EINVAL, larodGetModelDevice(nullptr, error)),
    FAILS_NULL(larodGetModelName, EINVAL, EINVAL, larodGetModelName(nullptr, error)),
    FAILS_WITH(larodGetModelSize, EINVAL, EINVAL, 0U, larodGetModelSize(nullptr, error)),
    FAILS_WITH(larodGetModelNumInputs, EINVAL, EINVAL, 0U, larodGetModelNumInputs(nullptr, error)),
    FAILS_WITH(larodGetModelNumOutputs, EINVAL, EINVAL, 0U, larodGetModelNumOutputs(nullptr, error)),
    FAILS_WITH(larodGetModelAccess, EINVAL, EINVAL, LAROD_ACCESS_INVALID, larodGetModelAccess(nullptr, error)),
    FAILS_NULL(larodGetModelInputByteSizes, EINVAL, EINVAL, larodGetModelInputByteSizes(nullptr, nullptr, error)),
    FAILS_NULL(larodGetModelOutputByteSizes, EINVAL, EINVAL, larodGetModelOutputByteSizes(nullptr, nullptr, error)),
};

const Cell kTensors[] = {
    FAILS_NULL(larodCreateModelInputs, EINVAL, EINVAL, larodCreateModelInputs(nullptr, nullptr, error)),
    FAILS_NULL(larodCreateModelOutputs, EINVAL, EINVAL, larodCreateModelOutputs(nullptr, nullptr, error)),
    FAILS_NULL(larodCreateTensors, EINVAL, EINVAL, larodCreateTensors(0, error)),
    FAILS_NULL(larodAllocModelInputs, ALLOC, LAROD_ERROR_ALLOC,
               larodAllocModelInputs(w.client.get(), w.model.get(), LAROD_FD_PROP_READWRITE | LAROD_FD_PROP_DMABUF,
                                     nullptr, nullptr, error)),
    FAILS_NULL(larodAllocModelInputs, MODEL_NOT_FOUND, LAROD_ERROR_MODEL_NOT_FOUND,
               larodAllocModelInputs(w.client.get(), w.deleted.get(), 0, nullptr, nullptr, error)),
    FAILS_NULL(larodAllocModelInputs, PERMISSION, LAROD_ERROR_PERMISSION,
               larodAllocModelInputs(w.client.get(), w.foreign.get(), 0, nullptr, nullptr, error)),
    FAILS_NULL(larodAllocModelInputs, EINVAL, EINVAL,
               larodAllocModelInputs(w.client.get(), w.model.get(), 1U << 9, nullptr, nullptr, error)),
    FAILS_NULL(larodAllocModelOutputs, ALLOC, LAROD_ERROR_ALLOC,
               larodAllocModelOutputs(w.client.get(), w.model.get(), LAROD_FD_PROP_READWRITE | LAROD_FD_PROP_DMABUF,
                                      nullptr, nullptr, error)),
    FAILS_NULL(larodAllocModelOutputs, MODEL_NOT_FOUND, LAROD_ERROR_MODEL_NOT_FOUND,
               larodAllocModelOutputs(w.client.get(), w.deleted.get(), 0, nullptr, nullptr, error)),
    FAILS_NULL(larodAllocModelOutputs, PERMISSION, LAROD_ERROR_PERMISSION,
               larodAllocModelOutputs(w.client.get(), w.foreign.get(), 0, nullptr, nullptr, error)),
    FAILS_NULL(larodAllocModelOutputs, EINVAL, EINVAL,
               larodAllocModelOutputs(w.client.get(), nullptr, 0, nullptr, nullptr, error)),
    CELL(larodDestroyTensors, CONNECTION, LAROD_ERROR_CONNECTION,
         larodTensor** made = larodAllocModelInputs(w.client.get(), w.model.get(), 0, nullptr, nullptr, nullptr);
         const bool confirmed = larodDestroyTensors(nullptr, &made, 1, error); return confirmed || made != nullptr;),
    CELL(larodDestroyTensors, CONNECTION_another, LAROD_ERROR_CONNECTION,
         larodTensor** made = larodAllocModelInputs(w.client.get(), w.model.get(), 0, nullptr, nullptr, nullptr);
         const bool confirmed = larodDestroyTensors(w.other.get(), &made, 1, error);
         return confirmed || made != nullptr;),
    CELL(larodSetTensorDims, EINVAL, EINVAL, const larodTensorDims tooLong = {{1}, 13};
         return larodSetTensorDims(w.own[0], &tooLong, error);),
    CELL(larodSetTensorPitches, EINVAL, EINVAL, const larodTensorPitches tooLong = {{1}, 13};
         return larodSetTensorPitches(w.own[0], &tooLong, error);),
    FAILS_BOOL(larodSetTensorDataType, EINVAL, EINVAL,
               larodSetTensorDataType(w.own[0], LAROD_TENSOR_DATA_TYPE_INVALID, error)),
    FAILS_BOOL(larodSetTensorDataType, EINVAL_max, EINVAL,
               larodSetTensorDataType(w.own[0], LAROD_TENSOR_DATA_TYPE_MAX, error)),
    FAILS_BOOL(larodSetTensorLayout, EINVAL, EINVAL,
               larodSetTensorLayout(w.own[0], LAROD_TENSOR_LAYOUT_INVALID, error)),
    FAILS_BOOL(larodSetTensorLayout, EINVAL_max, EINVAL,
               larodSetTensorLayout(w.own[0], LAROD_TENSOR_LAYOUT_MAX, error)),
    FAILS_NULL(larodGetTensorDims, EINVAL, EINVAL, larodGetTensorDims(nullptr, error)),
    FAILS_NULL(larodGetTensorPitches, EINVAL, EINVAL, larodGetTensorPitches(nullptr, error)),
    FAILS_NULL(larodGetTensorName, EINVAL, EINVAL, larodGetTensorName(nullptr, error)),
    FAILS_WITH(larodGetTensorDataType, EINVAL, EINVAL, LAROD_TENSOR_DATA_TYPE_INVALID,
               larodGetTensorDataType(nullptr, error)),
    FAILS_WITH(larodGetTensorLayout, EINVAL, EINVAL, LAROD_TENSOR_LAYOUT_INVALID, larodGetTensorLayout(nullptr, error)),
    FAILS_BOOL(larodSetTensorFd, EPERM, EPERM, larodSetTensorFd(w.inputs[0], 0, error)),
    FAILS_BOOL(larodSetTensorFd, EINVAL, EINVAL, larodSetTensorFd(w.own[0], -2, error)),
    FAILS_BOOL(larodSetTensorFdSize, EPERM, EPERM, larodSetTensorFdSize(w.inputs[0], 1, error)),
    FAILS_BOOL(larodSetTensorFdOffset, EPERM, EPERM, larodSetTensorFdOffset(w.inputs[0], 1, error)),
    FAILS_BOOL(larodSetTensorFdOffset, EINVAL, EINVAL, larodSetTensorFdOffset(w.own[0], -1, error)),
    FAILS_BOOL(larodSetTensorFdProps, EPERM, EPERM, larodSetTensorFdProps(w.inputs[0], LAROD_FD_PROP_MAP, error)),
    FAILS_BOOL(larodSetTensorFdProps, EINVAL, EINVAL, larodSetTensorFdProps(w.own[0], 0, error)),
    FAILS_BOOL(larodSetTensorFdProps, EINVAL_unknown, EINVAL, larodSetTensorFdProps(w.own[0], 8, error)),
    FAILS_WITH(larodGetTensorFd, EINVAL, EINVAL, LAROD_INVALID_FD, larodGetTensorFd(nullptr, error)),
    FAILS_WITH(larodGetTensorFdOffset, EINVAL, EINVAL, -1, larodGetTensorFdOffset(nullptr, error)),
    FAILS_BOOL(larodGetTensorFdSize, EINVAL, EINVAL, larodGetTensorFdSize(w.own[0], nullptr, error)),
    FAILS_BOOL(larodGetTensorFdProps, EINVAL, EINVAL, larodGetTensorFdProps(w.own[0], nullptr, error)),
    FAILS_BOOL(larodGetTensorByteSize, EINVAL, EINVAL, larodGetTensorByteSize(w.own[0], nullptr, error)),
    CELL(larodTrackTensor, FD, LAROD_ERROR_FD, EXPECT_TRUE(larodSetTensorFd(w.own[0], -1, nullptr));
         return larodTrackTensor(w.client.get(), w.own[0], error);),
    CELL(
        larodTrackTensor, ALLOC, LAROD_ERROR_ALLOC, std::vector<Tensors> tracked; for (int i = 0; i < 30; ++i) {
            tracked.push_back(allocTensors(w.client, w.model, Side::Inputs));
        } return larodTrackTensor(w.client.get(), w.own[0], error);),
    FAILS_BOOL(larodTrackTensor, EINVAL, EINVAL, larodTrackTensor(w.client.get(), w.inputs[0], error)),
};

const Cell kMaps[] = {
    FAILS_BOOL(larodMapSetStr, EINVAL_key, EINVAL, larodMapSetStr(w.map.get(), kLong.c_str(), "", error)),
    FAILS_BOOL(larodMapSetStr, EINVAL_value, EINVAL, larodMapSetStr(w.map.get(), "k", kLong.c_str(), error)),
    FAILS_BOOL(larodMapSetStr, EINVAL_type, EINVAL, larodMapSetStr(w.map.get(), "number", "1", error)),
    FAILS_BOOL(larodMapSetInt, EINVAL_key, EINVAL, larodMapSetInt(w.map.get(), "", 1, error)),
    FAILS_BOOL(larodMapSetInt, EINVAL_type, EINVAL, larodMapSetInt(w.map.get(), "two", 1, error)),
    FAILS_BOOL(larodMapSetIntArr2, EINVAL_type, EINVAL, larodMapSetIntArr2(w.map.get(), "four", 1, 2, error)),
    FAILS_BOOL(larodMapSetIntArr4, EINVAL_type, EINVAL, larodMapSetIntArr4(w.map.get(), "text", 1, 2, 3, 4, error)),
    FAILS_NULL(larodMapGetStr, ENOENT, ENOENT, larodMapGetStr(w.map.get(), "none", error)),
    FAILS_NULL(larodMapGetStr, EINVAL, EINVAL, larodMapGetStr(w.map.get(), "number", error)),
    CELL(larodMapGetInt, ENOENT, ENOENT, int64_t value = 42;
         const bool got = larodMapGetInt(w.map.get(), "none", &value, error); return got || value != 42;),
    CELL(larodMapGetInt, EINVAL, EINVAL, int64_t value = 42;
         const bool got = larodMapGetInt(w.map.get(), "two", &value, error); return got || value != 42;),
    FAILS_NULL(larodMapGetIntArr2, ENOENT, ENOENT, larodMapGetIntArr2(w.map.get(), "none", error)),
    FAILS_NULL(larodMapGetIntArr2, EINVAL, EINVAL, larodMapGetIntArr2(w.map.get(), "four", error)),
    FAILS_NULL(larodMapGetIntArr4, ENOENT, ENOENT, larodMapGetIntArr4(w.map.get(), "none", error)),
    FAILS_NULL(larodMapGetIntArr4, EINVAL, EINVAL, larodMapGetIntArr4(w.map.get(), kLong.c_str(), error)),
};

const Cell kJobCells[] = {
    CELL(larodCreateJobRequest, TENSOR_MISMATCH, LAROD_ERROR_TENSOR_MISMATCH, larodTensor* bad[] = {inconsistent(w)};
         return larodCreateJobRequest(w.model.get(), bad, 1, w.outputs.get(), 1, nullptr, error) != nullptr;),
    CELL(larodCreateJobRequest, EINVAL, EINVAL, larodTensor* none[] = {nullptr};
         return larodCreateJobRequest(w.model.get(), none, 1, w.outputs.get(), 1, nullptr, error) != nullptr;),
    CELL(larodSetJobRequestInputs, TENSOR_MISMATCH, LAROD_ERROR_TENSOR_MISMATCH, larodTensor* bad[] = {inconsistent(w)};
         const Request request(w.model, w.inputs, w.outputs);
         return larodSetJobRequestInputs(request.get(), bad, 1, error);),
    CELL(larodSetJobRequestOutputs, TENSOR_MISMATCH, LAROD_ERROR_TENSOR_MISMATCH,
         larodTensor* bad[] = {inconsistent(w)};
         const Request request(w.model, w.inputs, w.outputs);
         return larodSetJobRequestOutputs(request.get(), bad, 1, error);),
    CELL(larodSetJobRequestModel, EINVAL, EINVAL, const Request request(w.model, w.inputs, w.outputs);
         return larodSetJobRequestModel(request.get(), nullptr, error);),
    CELL(larodSetJobRequestPriority, EINVAL, EINVAL, const Request request(w.model, w.inputs, w.outputs);
         return larodSetJobRequestPriority(request.get(), 101, error);),
    FAILS_BOOL(larodSetJobRequestParams, EINVAL, EINVAL, larodSetJobRequestParams(nullptr, w.map.get(), error)),
    FAILS_BOOL(larodRunJob, EINVAL, EINVAL, larodRunJob(w.client.get(), nullptr, error)),
    CELL(larodRunJob, JOB, LAROD_ERROR_JOB, const LoadedModel failing(acting(w, "debug.job.1", "fail"));
         const auto in = allocTensors(w.client, failing, Side::Inputs);
         const auto out = allocTensors(w.client, failing, Side::Outputs);
         return larodRunJob(w.client.get(), Request(failing, in, out).get(), error);),
    CELL(larodRunJob, POWER_NOT_AVAILABLE, LAROD_ERROR_POWER_NOT_AVAILABLE,
         const LoadedModel failing(acting(w, "debug.job.1", "fail:-15"));
         const auto in = allocTensors(w.client, failing, Side::Inputs);
         const auto out = allocTensors(w.client, failing, Side::Outputs);
         return larodRunJob(w.client.get(), Request(failing, in, out).get(), error);),
    CELL(larodRunJob, FD, LAROD_ERROR_FD, EXPECT_TRUE(larodSetTensorFd(w.own[0], -1, nullptr));
         return runs(w, w.model, w.own.get(), 1, error);),
    CELL(larodRunJob, FD_property, LAROD_ERROR_FD,
         EXPECT_TRUE(larodSetTensorFdProps(w.own[0], LAROD_FD_PROP_DMABUF, nullptr));
         return runs(w, w.model, w.own.get(), 1, error);),
    CELL(larodRunJob, FD_size, LAROD_ERROR_FD, EXPECT_TRUE(larodSetTensorFdSize(w.own[0], 15, nullptr));
         return runs(w, w.model, w.own.get(), 1, error);),
    CELL(larodRunJob, FD_short, LAROD_ERROR_FD, EXPECT_EQ(::ftruncate(w.fds[0].get(), 15), 0);
         return runs(w, w.model, w.own.get(), 1, error);),
    CELL(larodRunJob, TENSOR_MISMATCH_number, LAROD_ERROR_TENSOR_MISMATCH, return runs(w, w.model, nullptr, 0, error);),
    CELL(larodRunJob, TENSOR_MISMATCH_type, LAROD_ERROR_TENSOR_MISMATCH,
         EXPECT_TRUE(larodSetTensorDataType(w.own[0], LAROD_TENSOR_DATA_TYPE_INT32, nullptr));
         return runs(w, w.model, w.own.get(), 1, error);),
    CELL(larodRunJob, MODEL_NOT_FOUND, LAROD_ERROR_MODEL_NOT_FOUND, return runs(w, w.deleted, w.own.get(), 1, error);),
    CELL(larodRunJob, PERMISSION, LAROD_ERROR_PERMISSION, return runs(w, w.foreign, w.own.get(), 1, error);),
    CELL(larodRunJobAsync, EINVAL, EINVAL,
         return larodRunJobAsync(w.client.get(), nullptr, neverCalledJob, nullptr, error);),
};

// Functions without arguments that can be wrong but NULL.
const Cell kNull[] = {
    FAILS_BOOL(larodMapSetInt, EINVAL_null, EINVAL, larodMapSetInt(nullptr, "k", 1, error)),
    FAILS_BOOL(larodMapSetIntArr2, EINVAL_null, EINVAL, larodMapSetIntArr2(nullptr, "k", 1, 2, error)),
    FAILS_BOOL(larodMapSetIntArr4, EINVAL_null, EINVAL, larodMapSetIntArr4(w.map.get(), nullptr, 1, 2, 3, 4, error)),
    FAILS_BOOL(larodSetTensorDims, EINVAL_null, EINVAL, larodSetTensorDims(w.own[0], nullptr, error)),
    FAILS_BOOL(larodSetTensorPitches, EINVAL_null, EINVAL, larodSetTensorPitches(nullptr, &kThreePitches, error)),
    FAILS_BOOL(larodTrackTensor, EINVAL_null, EINVAL, larodTrackTensor(w.client.get(), nullptr, error)),
    FAILS_NULL(larodCreateJobRequest, EINVAL_null, EINVAL,
               larodCreateJobRequest(nullptr, w.inputs.get(), 1, w.outputs.get(), 1, nullptr, error)),
    FAILS_BOOL(larodBuildTensorDims, EINVAL, EINVAL,
               larodBuildTensorDims(w.own[0], LAROD_TENSOR_LAYOUT_420SP, 8, 8, 4, error)),
    FAILS_BOOL(larodBuildTensorPitches, EINVAL, EINVAL,
               larodBuildTensorPitches(w.own[0], LAROD_TENSOR_LAYOUT_UNSPECIFIED, 8, 8, 3, error)),
    FAILS_WITH(larodConvertVmemFdToDmabuf, EOPNOTSUPP, EOPNOTSUPP, LAROD_INVALID_FD,
               larodConvertVmemFdToDmabuf(w.fds[0].get(), 0, error)),
    FAILS_BOOL(larodExportModel, EOPNOTSUPP, EOPNOTSUPP,
               larodExportModel(w.client.get(), w.fds[0].get(), w.fds[0].get(), w.debug, nullptr, error)),
    FAILS_BOOL(
        larodExportModel, LOAD_MODEL, LAROD_ERROR_LOAD_MODEL,
        larodExportModel(w.client.get(), w.fds[0].get(), w.fds[0].get(), w.client.device(kCpuTflite), nullptr, error)),
    FAILS_BOOL(larodExportModel, FD, LAROD_ERROR_FD,
               larodExportModel(w.client.get(), -1, w.fds[0].get(), w.client.device(kCpuTflite), nullptr, error)),
};

#undef FAILS_WITH
#undef FAILS_BOOL
#undef FAILS_NULL
#undef CELL

class Api_17 : public testing::TestWithParam<Cell> {};

TEST_P(Api_17, FailsWithItsValueAndCode) {
    World world;
    const Cell& cell = GetParam();
    // What was in it before is neither read nor released.
    auto* const garbage = reinterpret_cast<larodError*>(&world);
    larodError* error = garbage;
    EXPECT_FALSE(cell.wrong(world, &error));
    ASSERT_NE(error, garbage);
    ASSERT_NE(error, nullptr);
    EXPECT_EQ(error->code, cell.code) << error->msg;
    ASSERT_NE(error->msg, nullptr);
    EXPECT_STRNE(error->msg, "");
    larodClearError(&error);
    EXPECT_EQ(error, nullptr);
    // Details are not required, and a failure breaks nothing.
    World again;
    EXPECT_FALSE(cell.wrong(again, nullptr));
    expectRuns(again.client, Request(again.model, again.inputs, again.outputs));
}

const auto cellName = [](const auto& testInfo) { return std::string(testInfo.param.name); };
INSTANTIATE_TEST_SUITE_P(Connection, Api_17, testing::ValuesIn(kConnection), cellName);
INSTANTIATE_TEST_SUITE_P(Models, Api_17, testing::ValuesIn(kModels), cellName);
INSTANTIATE_TEST_SUITE_P(Tensors, Api_17, testing::ValuesIn(kTensors), cellName);
INSTANTIATE_TEST_SUITE_P(Maps, Api_17, testing::ValuesIn(kMaps), cellName);
INSTANTIATE_TEST_SUITE_P(Jobs, Api_17, testing::ValuesIn(kJobCells), cellName);
INSTANTIATE_TEST_SUITE_P(Others, Api_17, testing::ValuesIn(kNull), cellName);

TEST(Api_17_Callbacks, TheCodesOfAJobArriveInTheCallback) {
    World w;
    EXPECT_EQ(asyncCode(w, w.foreign, w.own.get(), 1), LAROD_ERROR_PERMISSION);
    EXPECT_EQ(asyncCode(w, w.deleted, w.own.get(), 1), LAROD_ERROR_MODEL_NOT_FOUND);
    EXPECT_EQ(asyncCode(w, w.model, nullptr, 0), LAROD_ERROR_TENSOR_MISMATCH);
    EXPECT_TRUE(larodSetTensorFdSize(w.own[0], 15, nullptr));
    EXPECT_EQ(asyncCode(w, w.model, w.own.get(), 1), LAROD_ERROR_FD);
    EXPECT_TRUE(larodSetTensorFdSize(w.own[0], 16, nullptr));
    EXPECT_EQ(asyncCode(w, w.model, w.own.get(), 1), 0);
    for (const auto& [action, code] :
         {std::pair("fail", LAROD_ERROR_JOB), {"fail:-15", LAROD_ERROR_POWER_NOT_AVAILABLE}}) {
        Params params;
        params.set("debug.job.1", action).set("debug.input.0", "uint8:16").set("debug.output.0", "uint8:16");
        EXPECT_EQ(asyncCode(w, loadParams(w.client, kDebug, params), w.own.get(), 1), code);
    }
}

TEST(Api_17_Callbacks, TheCodesOfALoadArriveInTheCallback) {
    World w;
    for (const auto& [action, code] : {std::pair("fail", LAROD_ERROR_LOAD_MODEL),
                                       {"fail:-15", LAROD_ERROR_POWER_NOT_AVAILABLE},
                                       {"fail:-3", LAROD_ERROR_FD}}) {
        Params params;
        params.set("debug.load", action);
        AsyncOutcome outcome;
        ASSERT_TRUE(larodLoadModelAsync(
            w.client.get(), -1, w.debug, LAROD_ACCESS_PRIVATE, "", params.get(),
            [](larodModel* model, void* userData, larodError* error) {
                EXPECT_EQ(model, nullptr);
                AsyncOutcome::done(userData, error);
            },
            &outcome, nullptr));
        EXPECT_EQ(outcome.code.get(), code);
    }
}

}  // namespace
}  // namespace larod::test
