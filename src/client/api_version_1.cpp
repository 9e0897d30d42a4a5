// SPDX-License-Identifier: Apache-2.0
// larod.h: what only version 1 of the interface has, and what versions 1 and 2 share but for chips.
#define LAROD_API_VERSION_1
#include <algorithm>
#include <utility>

#include "client/chip.h"
#include "client/connection.h"
#include "client/guard.h"
#include "client/load_model.h"
#include "client/run_job.h"
#include "client/tensor.h"

// The header renames these; programs that were built before it did still look for the old names.
#undef larodDestroyInferenceRequest
#undef larodSetInferenceRequestModel
#undef larodSetInferenceRequestInputs
#undef larodSetInferenceRequestOutputs
#undef larodSetInferenceRequestPriority

using namespace larod::client;
using larod::Error;

namespace {

// The device that the application chose, else the first one for neural networks.
const larodDevice& currentDevice(const larodConnection* conn) {
    require(conn, "conn");
    if (const larodDevice* chosen = conn->chosenDevice.load(std::memory_order_relaxed); chosen != nullptr) {
        return *chosen;
    }
    const auto& devices = conn->devices();
    const auto device =
        std::ranges::find_if(devices, [](const larodDevice& other) { return runsNetworks(chipOfDevice(other.name)); });
    if (device == devices.end()) {
        throw Error(LAROD_ERROR_INVALID_CHIP_ID,
                    "no chip has been chosen, and the service has no device for neural networks that has a chip "
                    "number; choose one with larodSetChip or larodSetChipId");
    }
    return *device;
}

}  // namespace

LAROD_EXPORT larodModel* larodLoadModel_API_VERSION_1(larodConnection* conn, const int fd, const larodAccess access,
                                                      const char* name, larodError** error) {
    return guard<larodModel*>(
        error, nullptr, [&] { return loadModel(conn, fd, &currentDevice(conn), access, name, nullptr).release(); });
}

LAROD_EXPORT bool larodLoadModelAsync_API_VERSION_1(larodConnection* conn, const int fd, const larodAccess access,
                                                    const char* name, larodLoadModelCallback callback, void* userData,
                                                    larodError** error) {
    return guard(error,
                 [&] { startLoadModel(conn, fd, &currentDevice(conn), access, name, nullptr, callback, userData); });
}

LAROD_EXPORT void larodDestroyTensors_API_VERSION_1(larodTensor*** tensors, size_t numTensors) {
    if (tensors == nullptr || *tensors == nullptr) {
        return;
    }
    larodTensor** array = std::exchange(*tensors, nullptr);
    for (size_t i = 0; i < numTensors; ++i) {
        const auto shelf = array[i] != nullptr ? array[i]->fdShelf.lock() : nullptr;
        if (shelf) {
            shelf->keep(array[i]->receivedFd);
        }
    }
    destroyTensorArray(array, numTensors);
}

LAROD_EXPORT larodInferenceRequest* larodCreateInferenceRequest(const larodModel* model, larodTensor** inputTensors,
                                                                size_t numInputs, larodTensor** outputTensors,
                                                                size_t numOutputs, larodError** error) {
    return larodCreateJobRequest(model, inputTensors, numInputs, outputTensors, numOutputs, nullptr, error);
}

LAROD_EXPORT void larodDestroyInferenceRequest(larodInferenceRequest** infReq) {
    larodDestroyJobRequest(infReq);
}

LAROD_EXPORT bool larodSetInferenceRequestModel(larodInferenceRequest* infReq, const larodModel* model,
                                                larodError** error) {
    return larodSetJobRequestModel(infReq, model, error);
}

LAROD_EXPORT bool larodSetInferenceRequestInputs(larodInferenceRequest* infReq, larodTensor** tensors,
                                                 const size_t numTensors, larodError** error) {
    return larodSetJobRequestInputs(infReq, tensors, numTensors, error);
}

LAROD_EXPORT bool larodSetInferenceRequestOutputs(larodInferenceRequest* infReq, larodTensor** tensors,
                                                  const size_t numTensors, larodError** error) {
    return larodSetJobRequestOutputs(infReq, tensors, numTensors, error);
}

LAROD_EXPORT bool larodSetInferenceRequestPriority(larodInferenceRequest* infReq, const uint8_t priority,
                                                   larodError** error) {
    return larodSetJobRequestPriority(infReq, priority, error);
}

LAROD_EXPORT bool larodRunInference(larodConnection* conn, const larodInferenceRequest* infReq, larodError** error) {
    return guard(error, [&] { runJob(conn, infReq, SyncNative::ByService); });
}

LAROD_EXPORT bool larodRunInferenceAsync(larodConnection* conn, const larodInferenceRequest* infReq,
                                         larodRunInferenceCallback callback, void* userData, larodError** error) {
    return guard(error, [&] { startJob(conn, infReq, SyncNative::ByService, callback, userData); });
}

LAROD_EXPORT bool larodGetChipId(larodConnection* conn, uint64_t* chipId, larodError** error) {
    return guard(error, [&] {
        require(chipId, "chipId");
        *chipId = currentDevice(conn).index;
    });
}

LAROD_EXPORT bool larodSetChipId(larodConnection* conn, const uint64_t chipId, larodError** error) {
    return guard(error, [&] {
        require(conn, "conn");
        const auto& devices = conn->devices();
        if (chipId >= devices.size()) {
            throw Error(LAROD_ERROR_INVALID_CHIP_ID, "there is no chip with id {}; the service has {} devices", chipId,
                        devices.size());
        }
        conn->chosenDevice.store(&devices[chipId], std::memory_order_relaxed);
    });
}

// Unlike version 2, which prefers some devices, this one takes the first in the list.
LAROD_EXPORT bool larodSetChip(larodConnection* conn, const larodChip chip, larodError** error) {
    return guard(error, [&] {
        require(conn, "conn");
        const auto& devices = conn->devices();
        const auto device = std::ranges::find_if(devices, [chip](const larodDevice& other) {
            return chip != LAROD_CHIP_INVALID && chipOfDevice(other.name) == chip;
        });
        if (device == devices.end()) {
            throwNoDeviceOfChip(chip);
        }
        conn->chosenDevice.store(&*device, std::memory_order_relaxed);
    });
}

LAROD_EXPORT bool larodGetChipType(larodConnection* conn, larodChip* chipType, larodError** error) {
    return guard(error, [&] {
        require(chipType, "chipType");
        const larodDevice& device = currentDevice(conn);
        const larodChip chip = chipOfDevice(device.name);
        if (chip == LAROD_CHIP_INVALID) {
            throw Error(LAROD_ERROR_INVALID_CHIP_ID, "the current device, {}, has no chip number", device.name);
        }
        *chipType = chip;
    });
}
