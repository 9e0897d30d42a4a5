/* SPDX-License-Identifier: Apache-2.0 */
/* An application of larod 1: version_1_app MODEL INPUT OUTPUT runs the model on a file, in every way that version 1
 * has, with the result in OUTPUT. MODEL has one input and one output. */
#define LAROD_API_VERSION_1
#include "app.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static void checkChips(larodConnection* conn) {
    larodError* error = NULL;
    larodChip* chips = NULL;
    size_t count = 0;
    CHECK_CALL(larodListChips(conn, &chips, &count, &error), error);
    int hasCpu = 0;
    for (size_t i = 0; i < count; ++i) {
        printf("chip %d: %s\n", (int)chips[i], larodGetChipName(chips[i]));
        hasCpu += chips[i] == LAROD_CHIP_TFLITE_CPU;
    }
    free(chips);
    CHECK(hasCpu == 1);

    /* Before anything is chosen, models go to the first device that runs networks. */
    larodChip chip = LAROD_CHIP_INVALID;
    CHECK_CALL(larodGetChipType(conn, &chip, &error), error);
    CHECK(chip == LAROD_CHIP_TFLITE_CPU);
    uint64_t cpuId = UINT64_MAX;
    CHECK_CALL(larodGetChipId(conn, &cpuId, &error), error);

    CHECK_CALL(larodSetChip(conn, LAROD_CHIP_LIBYUV, &error), error);
    uint64_t id = UINT64_MAX;
    CHECK_CALL(larodGetChipId(conn, &id, &error), error);
    CHECK(id != cpuId);
    CHECK(!larodSetChip(conn, LAROD_CHIP_TPU, &error) && takeCode(&error) == LAROD_ERROR_INVALID_CHIP_ID);
    CHECK(!larodSetChip(conn, LAROD_CHIP_INVALID, &error) && takeCode(&error) == LAROD_ERROR_INVALID_CHIP_ID);
    CHECK(!larodSetChipId(conn, 1000, &error) && takeCode(&error) == LAROD_ERROR_INVALID_CHIP_ID);
    CHECK_CALL(larodSetChipId(conn, cpuId, &error), error);
    CHECK_CALL(larodGetChipType(conn, &chip, &error), error);
    CHECK(chip == LAROD_CHIP_TFLITE_CPU);
}

/* Runs on files of the program: the input is read only, the output is written only. */
static void runOnFiles(larodConnection* conn, larodModel* model, const char* inputPath, const char* outputPath) {
    larodError* error = NULL;
    FILE* input = fopen(inputPath, "rb");
    FILE* output = fopen(outputPath, "wb");
    CHECK(input != NULL && output != NULL);
    size_t numInputs = 0;
    size_t numOutputs = 0;
    larodTensor** inputs = larodCreateModelInputs(model, &numInputs, &error);
    larodTensor** outputs = larodCreateModelOutputs(model, &numOutputs, &error);
    CHECK_CALL(inputs != NULL && outputs != NULL && numInputs == 1 && numOutputs == 1, error);
    CHECK_CALL(larodSetTensorFd(inputs[0], fileno(input), &error), error);
    CHECK_CALL(larodSetTensorFd(outputs[0], fileno(output), &error), error);
    larodInferenceRequest* request = larodCreateInferenceRequest(model, inputs, numInputs, outputs, numOutputs, &error);
    CHECK_CALL(request != NULL, error);

    CHECK_CALL(larodRunInference(conn, request, &error), error);

    Report done = REPORT_INIT;
    CHECK_CALL(larodSetInferenceRequestPriority(request, 90, &error), error);
    CHECK_CALL(larodRunInferenceAsync(conn, request, onDone, &done, &error), error);
    CHECK(waitForCalls(&done, 1) == 0);

    /* The request was set up with copies; a tensor without an fd makes a new one fail, by its own name for the code. */
    CHECK_CALL(larodSetTensorFd(inputs[0], -1, &error), error);
    CHECK_CALL(larodSetInferenceRequestInputs(request, inputs, numInputs, &error), error);
    CHECK(!larodRunInference(conn, request, &error) && takeCode(&error) == LAROD_ERROR_FD);
    CHECK_CALL(larodRunInferenceAsync(conn, request, onDone, &done, &error), error);
    CHECK(waitForCalls(&done, 2) == LAROD_ERROR_FD);
    CHECK(LAROD_ERROR_INFERENCE == LAROD_ERROR_JOB);

    larodDestroyInferenceRequest(&request);
    CHECK(request == NULL);
    larodDestroyTensors(&inputs, numInputs);
    larodDestroyTensors(&outputs, numOutputs);
    CHECK(inputs == NULL && outputs == NULL);
    CHECK(fcntl(fileno(input), F_GETFD) != -1);
    fclose(input);
    fclose(output);
}

int main(int argc, char** argv) {
    CHECK(argc == 4);
    const int fdsAtStart = countFds();
    larodError* error = NULL;
    larodConnection* conn = NULL;
    CHECK_CALL(larodConnect(&conn, &error), error);
    checkChips(conn);

    const int modelFd = open(argv[1], O_RDONLY | O_CLOEXEC);
    CHECK(larodLoadModel(conn, -1, LAROD_ACCESS_PRIVATE, "", &error) == NULL && takeCode(&error) == LAROD_ERROR_FD);
    larodModel* model = larodLoadModel(conn, modelFd, LAROD_ACCESS_PRIVATE, "version 1", &error);
    CHECK_CALL(model != NULL, error);
    CHECK(strcmp(larodGetDeviceName(larodGetModelDevice(model, NULL), NULL), "cpu-tflite") == 0);
    Report loaded = REPORT_INIT;
    CHECK_CALL(larodLoadModelAsync(conn, modelFd, LAROD_ACCESS_PRIVATE, NULL, onLoaded, &loaded, &error), error);
    CHECK(waitForCalls(&loaded, 1) == 0 && loaded.model != NULL);
    close(modelFd);

    runOnFiles(conn, model, argv[2], argv[3]);
    runOnFiles(conn, loaded.model, argv[2], argv[3]);

    /* Destroyed tensors leave their fds until the connection closes, and are tracked until then: 32 of them at most. */
    const int fdsBefore = countFds();
    for (int i = 0; i < 32; ++i) {
        size_t count = 0;
        larodTensor** tensors = larodAllocModelInputs(conn, model, 0, &count, NULL, &error);
        CHECK_CALL(tensors != NULL && count == 1, error);
        larodDestroyTensors(&tensors, count);
        CHECK(tensors == NULL);
    }
    CHECK(countFds() == fdsBefore + 32);
    CHECK(larodAllocModelInputs(conn, model, 0, NULL, NULL, &error) == NULL && takeCode(&error) == LAROD_ERROR_ALLOC);

    CHECK_CALL(larodDeleteModel(conn, model, &error), error);
    CHECK_CALL(larodDisconnect(&conn, &error), error);
    larodDestroyModel(&model);
    larodDestroyModel(&loaded.model);
    CHECK(countFds() == fdsAtStart);
    return 0;
}
