/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a neural network on the frames of a V4L2 camera. No frame is copied, mapped or touched by this program:
 *
 *     camera -> dma-buf -> preprocessing (crop, scale, convert) -> tensor -> network -> result
 *
 * The camera's own buffers are the inputs of the preprocessing job, and its output is the network's input. Each buffer
 * goes back to the camera as soon as it has been read, long before the result is there: there are two sets of tensors
 * behind the preprocessing, so that the next frame is captured and prepared while the network runs.
 *
 *     cc camera.c camera_options.c v4l2_camera.c -o camera $(pkg-config --cflags --libs liblarod)
 *     larod-run -- ./camera --model classifier.tflite */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <larod-dma-buf.h>
#include <larod.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "camera_options.h"
#include "v4l2_camera.h"

#define NUM_CAMERA_BUFFERS 4 /* one is read, one is filled, two are ready for it */
#define NUM_SLOTS 2          /* one with the network, one with the preprocessing */
#define PATIENCE_MS 5000     /* for the next frame or result */
#define NUM_SHOWN 5          /* values of a result that is no classification */

/* What one frame needs behind the camera. Used by the main thread, but while `runs` by the library's. */
struct slot {
    unsigned char number;
    larodTensor** image; /* output of the preprocessing, input of the network */
    larodTensor** outputs;
    size_t numOutputs;
    larodDmaBufMapping result; /* the first output */
    larodJobRequest* preprocessing;
    larodJobRequest* inference;

    bool runs;
    uint32_t sequence;
    bool failed;
    char failure[256];
    int done; /* pipe, to write the number to */
};

struct app {
    struct cameraOptions options;
    struct camera camera;
    larodConnection* conn;
    larodModel* network;
    larodModel* preprocessing;
    larodTensorDataType imageType; /* what the network takes */
    unsigned imageWidth;
    unsigned imageHeight;
    larodTensor** frameTensors[CAMERA_MAX_BUFFERS]; /* one a camera buffer: made and tracked once */
    struct slot slots[NUM_SLOTS];
    int donePipe[2];
    int signals;

    unsigned long begun;
    unsigned long finished;
    uint32_t firstSequence;
    uint32_t lastSequence;
};

static bool failed(const char* what, const char* why) {
    fprintf(stderr, "camera: %s: %s\n", what, why);
    return false;
}

static bool failedCall(const char* what, larodError** error) {
    failed(what, *error ? (*error)->msg : "no reason given");
    larodClearError(error);
    return false;
}

/* ---- Models ---- */

static bool loadNetwork(struct app* app) {
    larodError* error = NULL;
    larodTensor** inputs = NULL;
    const larodTensorDims* dims = NULL;
    size_t numInputs = 0;
    bool good = false;
    const larodDevice* device = larodGetDevice(app->conn, app->options.network, 0, &error);
    const int file = device ? open(app->options.model, O_RDONLY | O_CLOEXEC) : -1;
    if (!device) {
        return failedCall(app->options.network, &error);
    }
    if (file < 0) {
        return failed(app->options.model, strerror(errno));
    }
    app->network = larodLoadModel(app->conn, file, device, LAROD_ACCESS_PRIVATE, "camera", NULL, &error);
    close(file);
    inputs = app->network ? larodCreateModelInputs(app->network, &numInputs, &error) : NULL;
    dims = inputs ? larodGetTensorDims(inputs[0], &error) : NULL;
    if (!dims) {
        return failedCall(app->options.model, &error);
    }
    app->imageType = larodGetTensorDataType(inputs[0], NULL);
    good = numInputs == 1 && dims->len == 4 && dims->dims[0] == 1 && dims->dims[3] == 3 &&
           (app->imageType == LAROD_TENSOR_DATA_TYPE_UINT8 || app->imageType == LAROD_TENSOR_DATA_TYPE_INT8 ||
            app->imageType == LAROD_TENSOR_DATA_TYPE_FLOAT32);
    if (good) {
        app->imageHeight = (unsigned)dims->dims[1];
        app->imageWidth = (unsigned)dims->dims[2];
    }
    larodDestroyTensors(app->conn, &inputs, numInputs, NULL);
    if (good && app->imageType == LAROD_TENSOR_DATA_TYPE_UINT8 && (app->options.mean || app->options.scale)) {
        return failed(app->options.model, "takes uint8, the pixels themselves: --mean and --scale don't fit it");
    }
    return good ? true
                : failed(app->options.model,
                         "expected a network with one input, an RGB image (1, height, width, 3) of "
                         "uint8, int8 or float32");
}

/* What the network's input is made of: its type, and (pixel - mean) / scale where it is not the pixel itself. */
static bool describeOutput(const struct app* app, larodMap* params, larodError** error) {
    const bool isFloat = app->imageType == LAROD_TENSOR_DATA_TYPE_FLOAT32;
    if (app->imageType == LAROD_TENSOR_DATA_TYPE_UINT8) {
        return true; /* so that devices can be used that know no more than that */
    }
    return larodMapSetStr(params, "image.output.type", isFloat ? "float32" : "int8", error) &&
           larodMapSetStr(params, "image.output.mean",
                          app->options.mean ? app->options.mean
                          : isFloat         ? "127.5"
                                            : "128",
                          error) &&
           larodMapSetStr(params, "image.output.scale",
                          app->options.scale ? app->options.scale
                          : isFloat          ? "127.5"
                                             : "1",
                          error);
}

/* From the camera's image to the network's. NULL on failure, with the error. */
static larodModel* loadPreprocessing(struct app* app, larodError** error) {
    const struct camera* const camera = &app->camera;
    const bool isUsual = !camera->format->isYuv || strcmp(camera->colorimetry, "bt601-limited") == 0;
    larodModel* model = NULL;
    const larodDevice* const device = larodGetDevice(app->conn, app->options.preprocessing, 0, error);
    larodMap* params = device ? larodCreateMap(error) : NULL;
    if (params && larodMapSetStr(params, "image.input.format", camera->format->larodName, error) &&
        larodMapSetIntArr2(params, "image.input.size", camera->width, camera->height, error) &&
        larodMapSetInt(params, "image.input.row-pitch", camera->rowPitch, error) &&
        (isUsual || larodMapSetStr(params, "image.input.colorimetry", camera->colorimetry, error)) &&
        larodMapSetStr(params, "image.output.format", "rgb-interleaved", error) &&
        larodMapSetIntArr2(params, "image.output.size", app->imageWidth, app->imageHeight, error) &&
        describeOutput(app, params, error)) {
        model = larodLoadModel(app->conn, -1, device, LAROD_ACCESS_PRIVATE, "camera", params, error);
    }
    larodDestroyMap(&params);
    return model;
}

/* The first format that the camera has, the preprocessing device takes, and was not excluded. */
static bool chooseFormat(struct app* app) {
    struct camera* const camera = &app->camera;
    const char* const wanted = app->options.format;
    larodError* error = NULL;
    bool isThere = false;
    for (unsigned i = 0; i < camera->numFormats && !app->preprocessing; ++i) {
        if (wanted && strcmp(wanted, camera->formats[i]->larodName) != 0) {
            continue;
        }
        isThere = true;
        larodClearError(&error);
        if (cameraSetFormat(camera, camera->formats[i], app->options.width, app->options.height)) {
            app->preprocessing = loadPreprocessing(app, &error);
        }
    }
    if (!isThere) {
        return failed(wanted, "expected a format of this camera");
    }
    if (!app->preprocessing) {
        return error ? failedCall(app->options.preprocessing, &error) : failed(app->options.camera, camera->error);
    }
    larodClearError(&error);
    printf("%s: %s %ux%u, rows of %u bytes; network: %ux%u\n", app->options.camera, camera->format->larodName,
           camera->width, camera->height, camera->rowPitch, app->imageWidth, app->imageHeight);
    return true;
}

/* ---- Tensors: made before the first frame, never again ---- */

/* A camera buffer as the input of the preprocessing. Tracked: the service imports or maps it once. */
static bool makeFrameTensor(struct app* app, unsigned index) {
    larodError* error = NULL;
    larodTensor** const tensor = larodCreateModelInputs(app->preprocessing, NULL, &error);
    app->frameTensors[index] = tensor;
    if (!tensor || !larodSetTensorFd(tensor[0], app->camera.dmaBufs[index], &error) ||
        !larodSetTensorFdSize(tensor[0], app->camera.sizes[index], &error) ||
        !larodSetTensorFdProps(tensor[0], LAROD_FD_TYPE_DMA, &error) ||
        !larodTrackTensor(app->conn, tensor[0], &error)) {
        return failedCall("a camera buffer can't be a tensor", &error);
    }
    return true;
}

static bool makeSlot(struct app* app, unsigned char number) {
    struct slot* const slot = &app->slots[number];
    larodError* error = NULL;
    larodDmaBufError why;
    slot->number = number;
    slot->done = app->donePipe[1];
    /* Props 0: the service takes the kind of memory that suits the device. */
    slot->image = larodAllocModelOutputs(app->conn, app->preprocessing, 0, NULL, NULL, &error);
    slot->outputs =
        slot->image ? larodAllocModelOutputs(app->conn, app->network, 0, &slot->numOutputs, NULL, &error) : NULL;
    if (!slot->outputs) {
        return failedCall("allocating tensors", &error);
    }
    slot->preprocessing =
        larodCreateJobRequest(app->preprocessing, app->frameTensors[0], 1, slot->image, 1, NULL, &error);
    slot->inference = slot->preprocessing ? larodCreateJobRequest(app->network, slot->image, 1, slot->outputs,
                                                                  slot->numOutputs, NULL, &error)
                                          : NULL;
    if (!slot->inference) {
        return failedCall("making the job requests", &error);
    }
    /* The one thing that the CPU looks at. */
    return larodDmaBufMap(slot->outputs[0], LAROD_DMA_BUF_READ, &slot->result, &why) ? true : failed("result", why.msg);
}

/* ---- A frame's way ---- */

/* On a thread of the library. What is written before the pipe, the main thread sees after it has read from it. */
static void inferenceIsDone(void* userData, larodError* error) {
    struct slot* const slot = userData;
    slot->failed = error != NULL;
    if (error) {
        snprintf(slot->failure, sizeof(slot->failure), "%s", error->msg);
    }
    while (write(slot->done, &slot->number, 1) < 0 && errno == EINTR) {
    }
}

/* Where a frame is there: preprocesses it, gives its buffer back, and starts the network. */
static bool beginFrame(struct app* app, struct slot* slot) {
    larodError* error = NULL;
    struct cameraFrame frame;
    bool isThere = false;
    bool good = false;
    if (!cameraTakeNewest(&app->camera, &frame, &isThere)) {
        return failed(app->options.camera, app->camera.error);
    }
    if (!isThere) {
        return true;
    }
    good = larodSetJobRequestInputs(slot->preprocessing, app->frameTensors[frame.buffer], 1, &error) &&
           larodRunJob(app->conn, slot->preprocessing, &error);
    if (!cameraGiveBack(&app->camera, frame.buffer)) {
        larodClearError(&error);
        return failed(app->options.camera, app->camera.error);
    }
    if (!good) {
        return failedCall("preprocessing", &error);
    }
    slot->sequence = frame.sequence;
    slot->runs = true;
    if (!larodRunJobAsync(app->conn, slot->inference, inferenceIsDone, slot, &error)) {
        slot->runs = false;
        return failedCall("network", &error);
    }
    app->firstSequence = app->begun == 0 ? frame.sequence : app->firstSequence;
    app->lastSequence = frame.sequence;
    ++app->begun;
    return true;
}

static size_t elementSize(larodTensorDataType type) {
    return type == LAROD_TENSOR_DATA_TYPE_FLOAT32 ? sizeof(float) : 1;
}

static double valueAt(const uint8_t* data, larodTensorDataType type, size_t index) {
    float value = 0;
    switch (type) {
        case LAROD_TENSOR_DATA_TYPE_FLOAT32:
            memcpy(&value, data + index * sizeof(float), sizeof(float));
            return (double)value;
        case LAROD_TENSOR_DATA_TYPE_INT8:
            return (int8_t)data[index];
        default:
            return data[index]; /* other types: their bytes */
    }
}

/* A result of dims (1, N) is taken for N classes. */
static void printResult(const struct slot* slot) {
    const larodTensorDims* const dims = larodGetTensorDims(slot->outputs[0], NULL);
    const larodTensorDataType type = larodGetTensorDataType(slot->outputs[0], NULL);
    const uint8_t* const data = slot->result.data;
    const size_t count = slot->result.size / elementSize(type);
    size_t best = 0;
    printf("frame %u: ", slot->sequence);
    if (dims && dims->len == 2 && dims->dims[0] == 1 && count > 1 && count == dims->dims[1]) {
        for (size_t i = 1; i < count; ++i) {
            best = valueAt(data, type, i) > valueAt(data, type, best) ? i : best;
        }
        printf("class %zu, score %g\n", best, valueAt(data, type, best));
        return;
    }
    printf("first values");
    for (size_t i = 0; i < count && i < NUM_SHOWN; ++i) {
        printf(" %g", valueAt(data, type, i));
    }
    printf("\n");
}

static bool finishFrame(struct app* app) {
    larodDmaBufError why;
    unsigned char number = 0;
    struct slot* slot = NULL;
    if (read(app->donePipe[0], &number, 1) != 1) {
        return failed("result", strerror(errno));
    }
    slot = &app->slots[number];
    slot->runs = false;
    if (slot->failed) {
        return failed("network", slot->failure);
    }
    if (!larodDmaBufBegin(&slot->result, LAROD_DMA_BUF_READ, &why)) {
        return failed("result", why.msg);
    }
    printResult(slot);
    fflush(stdout);
    ++app->finished;
    return larodDmaBufEnd(&slot->result, &why) ? true : failed("result", why.msg);
}

static struct slot* findSlot(struct app* app, bool running) {
    for (unsigned i = 0; i < NUM_SLOTS; ++i) {
        if (app->slots[i].runs == running) {
            return &app->slots[i];
        }
    }
    return NULL;
}

/* Until all frames are done, or Ctrl-C. */
static bool loop(struct app* app) {
    bool stop = false;
    for (;;) {
        struct slot* const idle = findSlot(app, false);
        const bool wantsFrame = idle && !stop && (app->options.frames == 0 || app->begun < app->options.frames);
        struct pollfd fds[3] = {{app->donePipe[0], POLLIN, 0}, {app->signals, POLLIN, 0}, {-1, POLLIN, 0}};
        int ready = 0;
        if (!wantsFrame && !findSlot(app, true)) {
            return true;
        }
        fds[1].fd = stop ? -1 : app->signals;
        fds[2].fd = wantsFrame ? app->camera.fd : -1;
        ready = poll(fds, 3, PATIENCE_MS);
        if (ready < 0 && errno != EINTR) {
            return failed("poll", strerror(errno));
        }
        if (ready == 0) {
            return findSlot(app, true)
                       ? failed("network", "no result for 5 seconds")
                       : failed(app->options.camera, "no frame for 5 seconds: does the camera still run?");
        }
        stop = stop || fds[1].revents != 0;
        if (fds[0].revents != 0 && !finishFrame(app)) {
            return false;
        }
        if (fds[2].revents != 0 && !stop) {
            const unsigned long before = app->begun;
            if (!beginFrame(app, idle)) {
                return false;
            }
            if (app->begun == before && !(fds[2].revents & POLLIN)) {
                return failed(app->options.camera, "the camera reports an error: was it stopped by another program?");
            }
        }
    }
}

/* ---- The program ---- */

static double secondsNow(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Before the library starts threads, which inherit what is blocked. */
static bool prepareSignals(struct app* app) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    app->signals = signalfd(-1, &set, SFD_CLOEXEC);
    return app->signals >= 0 && pipe2(app->donePipe, O_CLOEXEC) == 0 ? true : failed("start", strerror(errno));
}

static bool run(struct app* app) {
    larodError* error = NULL;
    double start = 0;
    double seconds = 0;
    bool good = false;
    if (!prepareSignals(app)) {
        return false;
    }
    if (!cameraOpen(&app->camera, app->options.camera)) {
        return failed(app->options.camera, app->camera.error);
    }
    if (!larodConnect(&app->conn, &error)) {
        return failedCall("no connection", &error);
    }
    if (!loadNetwork(app) || !chooseFormat(app)) {
        return false;
    }
    if (!cameraStart(&app->camera, NUM_CAMERA_BUFFERS)) {
        return failed(app->options.camera, app->camera.error);
    }
    for (unsigned i = 0; i < app->camera.numBuffers; ++i) {
        if (!makeFrameTensor(app, i)) {
            return false;
        }
    }
    for (unsigned char i = 0; i < NUM_SLOTS; ++i) {
        if (!makeSlot(app, i)) {
            return false;
        }
    }
    start = secondsNow();
    good = loop(app);
    seconds = secondsNow() - start;
    if (app->finished > 0) {
        printf("%lu frames in %.2f s, %.1f a second; the camera made %lu meanwhile\n", app->finished, seconds,
               (double)app->finished / seconds, (unsigned long)(app->lastSequence - app->firstSequence) + 1);
    }
    return good;
}

/* The connection first, with what runs: then nobody uses the tensors any more. Tracking ends with it. */
static void release(struct app* app) {
    larodDisconnect(&app->conn, NULL);
    for (unsigned i = 0; i < NUM_SLOTS; ++i) {
        struct slot* const slot = &app->slots[i];
        larodDmaBufUnmap(&slot->result);
        larodDestroyJobRequest(&slot->preprocessing);
        larodDestroyJobRequest(&slot->inference);
        larodDestroyTensors(NULL, &slot->image, 1, NULL);
        larodDestroyTensors(NULL, &slot->outputs, slot->numOutputs, NULL);
    }
    for (unsigned i = 0; i < app->camera.numBuffers; ++i) {
        larodDestroyTensors(NULL, &app->frameTensors[i], 1, NULL);
    }
    larodDestroyModel(&app->preprocessing);
    larodDestroyModel(&app->network);
    cameraClose(&app->camera);
}

int main(int argc, char** argv) {
    struct app app;
    bool good = false;
    memset(&app, 0, sizeof(app));
    app.camera.fd = -1;
    if (!parseCameraOptions(&app.options, argc, argv)) {
        return 2;
    }
    good = run(&app);
    release(&app);
    return good ? 0 : 1;
}
