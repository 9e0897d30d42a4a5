/* SPDX-License-Identifier: Apache-2.0 */
/* larod.h alone, in C. */
#include "larod.h"

/* Uses every macro, so that each expands to something that compiles. */
int useMacros(uint64_t id, int fd);
int useMacros(uint64_t id, int fd) {
    const uint32_t props = LAROD_FD_TYPE_DMA | LAROD_FD_TYPE_DISK | LAROD_FD_PROP_READWRITE;
    larodTensorDims dims = {{0}, LAROD_TENSOR_MAX_LEN};
    return id != LAROD_INVALID_MODEL_ID && fd != LAROD_INVALID_FD && props != 0 && dims.len != 0 &&
           LAROD_VERSION_MAJOR == 3;
}

/* Names mean the functions of the version that was chosen. */
#if defined(LAROD_API_VERSION_1)
bool useVersion(larodConnection* conn, larodModel** model, larodTensor*** tensors, larodInferenceRequest** request,
                larodRunInferenceCallback callback, larodChip* chip);
bool useVersion(larodConnection* conn, larodModel** model, larodTensor*** tensors, larodInferenceRequest** request,
                larodRunInferenceCallback callback, larodChip* chip) {
    *model = larodLoadModel(conn, 0, LAROD_ACCESS_PRIVATE, "", NULL);
    *request = larodCreateInferenceRequest(*model, *tensors, 1, *tensors, 1, NULL);
    larodSetInferenceRequestModel(*request, *model, NULL);
    larodSetInferenceRequestInputs(*request, *tensors, 1, NULL);
    larodSetInferenceRequestOutputs(*request, *tensors, 1, NULL);
    larodSetInferenceRequestPriority(*request, 50, NULL);
    larodDestroyTensors(tensors, 1);
    if (!larodGetChipType(conn, chip, NULL) || LAROD_ERROR_INFERENCE != LAROD_ERROR_JOB) {
        return false;
    }
    if (!larodRunInferenceAsync(conn, *request, callback, NULL, NULL)) {
        larodDestroyInferenceRequest(request);
    }
    return larodGetChipName(LAROD_CHIP_ACE) != NULL;
}
#elif defined(LAROD_API_VERSION_2)
bool useVersion(larodConnection* conn, larodModel** model, larodTensor*** tensors, const larodJobRequest* request,
                larodRunJobCallback callback, larodChip* chip);
bool useVersion(larodConnection* conn, larodModel** model, larodTensor*** tensors, const larodJobRequest* request,
                larodRunJobCallback callback, larodChip* chip) {
    *model = larodLoadModel(conn, 0, LAROD_CHIP_LIBYUV, LAROD_ACCESS_PRIVATE, "", NULL, NULL);
    *chip = larodGetModelChip(*model, NULL);
    larodDestroyTensors(tensors, 1);
    return larodRunJob(conn, request, NULL) && larodRunJobAsync(conn, request, callback, NULL, NULL);
}
#else
bool useVersion(larodConnection* conn, larodModel** model, larodTensor*** tensors);
bool useVersion(larodConnection* conn, larodModel** model, larodTensor*** tensors) {
    *model = larodLoadModel(conn, 0, larodGetModelDevice(*model, NULL), LAROD_ACCESS_PRIVATE, "", NULL, NULL);
    return larodDestroyTensors(conn, tensors, 1, NULL);
}
#endif
