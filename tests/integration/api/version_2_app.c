/* SPDX-License-Identifier: Apache-2.0 */
/* An application of larod 2: version_2_app MODEL INPUT OUTPUT converts an image with the preprocessing chip, echoes
 * bytes with the debug chip, and runs the model on INPUT, in every way that version 2 has, with the result in OUTPUT.
 */
#define LAROD_API_VERSION_2
#include "app.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ECHO_BYTES 64
#define WIDTH 4
#define HEIGHT 2

/* One input and one output that the service allocates, and a request that has them. */
typedef struct {
    larodTensor** inputs;
    larodTensor** outputs;
    size_t inputBytes;
    size_t outputBytes;
    unsigned char* input;
    unsigned char* output;
    larodJobRequest* request;
} Job;

static unsigned char* map(larodTensor* tensor, size_t* size) {
    CHECK(larodGetTensorFdSize(tensor, size, NULL));
    void* memory = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_SHARED, larodGetTensorFd(tensor, NULL), 0);
    CHECK(memory != MAP_FAILED);
    return memory;
}

static Job makeJob(larodConnection* conn, const larodModel* model) {
    larodError* error = NULL;
    Job job = {NULL, NULL, 0, 0, NULL, NULL, NULL};
    job.inputs = larodAllocModelInputs(conn, model, 0, NULL, NULL, &error);
    job.outputs = larodAllocModelOutputs(conn, model, 0, NULL, NULL, &error);
    CHECK_CALL(job.inputs != NULL && job.outputs != NULL, error);
    job.input = map(job.inputs[0], &job.inputBytes);
    job.output = map(job.outputs[0], &job.outputBytes);
    job.request = larodCreateJobRequest(model, job.inputs, 1, job.outputs, 1, NULL, &error);
    CHECK_CALL(job.request != NULL, error);
    return job;
}

static void destroyJob(Job* job) {
    const int inputFd = larodGetTensorFd(job->inputs[0], NULL);
    munmap(job->input, job->inputBytes);
    munmap(job->output, job->outputBytes);
    larodDestroyJobRequest(&job->request);
    larodDestroyTensors(&job->inputs, 1);
    larodDestroyTensors(&job->outputs, 1);
    CHECK(job->inputs == NULL && job->outputs == NULL);
    CHECK(fcntl(inputFd, F_GETFD) != -1);
}

static larodMap* makeEchoParams(void) {
    larodError* error = NULL;
    larodMap* params = larodCreateMap(&error);
    CHECK_CALL(larodMapSetStr(params, "debug.input.0", "uint8:64", &error), error);
    CHECK_CALL(larodMapSetStr(params, "debug.output.0", "uint8:64", &error), error);
    CHECK_CALL(larodMapSetInt(params, "debug.echo", 1, &error), error);
    return params;
}

static void echo(larodConnection* conn) {
    larodError* error = NULL;
    larodMap* params = makeEchoParams();
    larodModel* model = larodLoadModel(conn, -1, LAROD_CHIP_DEBUG, LAROD_ACCESS_PRIVATE, "echo", params, &error);
    CHECK_CALL(model != NULL, error);
    CHECK_CALL(larodGetModelChip(model, &error) == LAROD_CHIP_DEBUG, error);
    Report loaded = REPORT_INIT;
    CHECK_CALL(larodLoadModelAsync(conn, -1, LAROD_CHIP_DEBUG, LAROD_ACCESS_PRIVATE, "echo", params, onLoaded, &loaded,
                                   &error),
               error);
    larodDestroyMap(&params);
    CHECK(waitForCalls(&loaded, 1) == 0 && loaded.model != NULL);

    Job job = makeJob(conn, model);
    CHECK(job.inputBytes == ECHO_BYTES && job.outputBytes == ECHO_BYTES);
    memset(job.input, 'a', ECHO_BYTES);
    CHECK_CALL(larodRunJob(conn, job.request, &error), error);
    CHECK(memcmp(job.input, job.output, ECHO_BYTES) == 0);

    Report done = REPORT_INIT;
    memset(job.input, 'b', ECHO_BYTES);
    CHECK_CALL(larodRunJobAsync(conn, job.request, onDone, &done, &error), error);
    CHECK(waitForCalls(&done, 1) == 0);
    CHECK(memcmp(job.input, job.output, ECHO_BYTES) == 0);

    /* The same tensors on the other model. */
    memset(job.input, 'c', ECHO_BYTES);
    CHECK_CALL(larodSetJobRequestModel(job.request, loaded.model, &error), error);
    CHECK_CALL(larodRunJob(conn, job.request, &error), error);
    CHECK(memcmp(job.input, job.output, ECHO_BYTES) == 0);

    /* A job that fails does so the same way through both functions. */
    CHECK_CALL(larodDeleteModel(conn, loaded.model, &error), error);
    CHECK(!larodRunJob(conn, job.request, &error) && takeCode(&error) == LAROD_ERROR_MODEL_NOT_FOUND);
    CHECK_CALL(larodRunJobAsync(conn, job.request, onDone, &done, &error), error);
    CHECK(waitForCalls(&done, 2) == LAROD_ERROR_MODEL_NOT_FOUND);

    destroyJob(&job);
    larodDestroyModel(&model);
    larodDestroyModel(&loaded.model);
}

/* The preprocessing chip takes no file: the model is its parameters. */
static void preprocess(larodConnection* conn) {
    larodError* error = NULL;
    larodMap* params = larodCreateMap(&error);
    CHECK_CALL(larodMapSetStr(params, "image.input.format", "rgb-interleaved", &error), error);
    CHECK_CALL(larodMapSetIntArr2(params, "image.input.size", WIDTH, HEIGHT, &error), error);
    CHECK_CALL(larodMapSetStr(params, "image.output.format", "rgb-planar", &error), error);
    CHECK_CALL(larodMapSetIntArr2(params, "image.output.size", WIDTH, HEIGHT, &error), error);
    larodModel* model = larodLoadModel(conn, -1, LAROD_CHIP_LIBYUV, LAROD_ACCESS_PRIVATE, "", params, &error);
    larodDestroyMap(&params);
    CHECK_CALL(model != NULL, error);
    CHECK_CALL(larodGetModelChip(model, &error) == LAROD_CHIP_LIBYUV, error);
    Job job = makeJob(conn, model);
    CHECK(job.inputBytes == 3 * WIDTH * HEIGHT && job.outputBytes == job.inputBytes);
    for (size_t i = 0; i < job.inputBytes; ++i) {
        job.input[i] = (unsigned char)(i % 3);
    }
    CHECK_CALL(larodRunJob(conn, job.request, &error), error);
    for (size_t i = 0; i < job.outputBytes; ++i) {
        CHECK(job.output[i] == i / (WIDTH * HEIGHT));
    }
    destroyJob(&job);
    larodDestroyModel(&model);
}

static void runNetwork(larodConnection* conn, const char* modelPath, const char* inputPath, const char* outputPath) {
    larodError* error = NULL;
    const int modelFd = open(modelPath, O_RDONLY | O_CLOEXEC);
    CHECK(larodLoadModel(conn, modelFd, LAROD_CHIP_TPU, LAROD_ACCESS_PRIVATE, "", NULL, &error) == NULL &&
          takeCode(&error) == LAROD_ERROR_INVALID_CHIP_ID);
    CHECK(larodLoadModel(conn, modelFd, (larodChip)3, LAROD_ACCESS_PRIVATE, "", NULL, &error) == NULL &&
          takeCode(&error) == LAROD_ERROR_INVALID_CHIP_ID);
    larodModel* model = larodLoadModel(conn, modelFd, LAROD_CHIP_TFLITE_CPU, LAROD_ACCESS_PRIVATE, "", NULL, &error);
    close(modelFd);
    CHECK_CALL(model != NULL, error);
    Job job = makeJob(conn, model);
    FILE* input = fopen(inputPath, "rb");
    FILE* output = fopen(outputPath, "wb");
    CHECK(input != NULL && output != NULL);
    CHECK(fread(job.input, 1, job.inputBytes, input) == job.inputBytes);
    CHECK_CALL(larodRunJob(conn, job.request, &error), error);
    CHECK(fwrite(job.output, 1, job.outputBytes, output) == job.outputBytes);
    fclose(input);
    fclose(output);
    destroyJob(&job);
    larodDestroyModel(&model);
}

int main(int argc, char** argv) {
    CHECK(argc == 4);
    const int fdsAtStart = countFds();
    larodError* error = NULL;
    larodConnection* conn = NULL;
    CHECK_CALL(larodConnect(&conn, &error), error);
    echo(conn);
    preprocess(conn);
    runNetwork(conn, argv[1], argv[2], argv[3]);
    CHECK_CALL(larodDisconnect(&conn, &error), error);
    CHECK(countFds() == fdsAtStart);

    /* What was left in the service ended with the connection: a new one starts from nothing. */
    CHECK_CALL(larodConnect(&conn, &error), error);
    larodMap* params = makeEchoParams();
    larodModel* model = larodLoadModel(conn, -1, LAROD_CHIP_DEBUG, LAROD_ACCESS_PRIVATE, "", params, &error);
    larodDestroyMap(&params);
    CHECK_CALL(model != NULL, error);
    for (int i = 0; i < 16; ++i) {
        Job job = makeJob(conn, model);
        destroyJob(&job);
    }
    CHECK(larodAllocModelInputs(conn, model, 0, NULL, NULL, &error) == NULL && takeCode(&error) == LAROD_ERROR_ALLOC);
    CHECK_CALL(larodDisconnect(&conn, &error), error);
    larodDestroyModel(&model);
    CHECK(countFds() == fdsAtStart);
    return 0;
}
