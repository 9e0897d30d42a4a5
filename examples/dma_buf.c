/* SPDX-License-Identifier: Apache-2.0 */
/* Runs jobs on dma-bufs, as the owner of the buffers should. For each job:
 *
 *     1. begin the CPU's access to the input, for writing
 *     2. write the input
 *     3. end the access: the device sees the data
 *     4. run the job, with no access open
 *     5. begin the CPU's access to the output, for reading: the CPU sees the device's data
 *     6. read the output
 *     7. end the access
 *
 * Who does not touch a buffer with the CPU leaves its steps out. Mapping and tracking are done once, before all jobs.
 *
 * The job makes an RGB image of half the size from an NV12 image that is grey, a bit brighter each time.
 *
 *     cc dma_buf.c -o dma_buf $(pkg-config --cflags --libs liblarod)
 *     larod-run -- ./dma_buf */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memfd_create */
#endif
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <larod-dma-buf.h>
#include <larod.h>
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define WIDTH 640
#define HEIGHT 480
#define BLACK 16       /* luma of black */
#define NEUTRAL 128    /* chroma of grey */
#define LUMA_STEP 8    /* a job is brighter than the one before by this */
#define LUMA_LEVELS 27 /* 16, 24, ... 224 */

/* An input or output of the model: one tensor. */
struct buffer {
    larodTensor** tensor; /* an array of one, as the library gives it */
    int fd;               /* where the buffer is our own, else -1 */
    larodDmaBufMapping mapping;
};

struct app {
    const char* source; /* where buffers come from: see usage() */
    const char* device;
    unsigned jobs;
    larodConnection* conn;
    larodModel* model;
    struct buffer input;
    struct buffer output;
    larodJobRequest* job;
};

static bool failed(const char* what, const char* why) {
    fprintf(stderr, "dma_buf: %s: %s\n", what, why);
    return false;
}

static bool failedCall(const char* what, larodError** error) {
    failed(what, *error ? (*error)->msg : "no reason given");
    larodClearError(error);
    return false;
}

/* ---- Buffers of our own, for the case that they don't come from the service (or a camera, or a GPU) ---- */

/* A dma-buf of at least `size` bytes from a heap, such as /dev/dma_heap/system; -1 on failure, with errno. */
static int allocateFromHeap(const char* path, size_t size) {
    struct dma_heap_allocation_data request = {0};
    int result = -1;
    const int heap = open(path, O_RDONLY | O_CLOEXEC);
    if (heap < 0) {
        return -1;
    }
    request.len = size;
    request.fd_flags = O_RDWR | O_CLOEXEC;
    result = ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &request);
    close(heap);
    return result == 0 ? (int)request.fd : -1;
}

/* A memory file of `size` bytes; -1 on failure, with errno. */
static int makeMemoryFile(size_t size) {
    const int file = memfd_create("dma_buf", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (file >= 0 && ftruncate(file, (off_t)size) != 0) {
        close(file);
        return -1;
    }
    return file;
}

/* A dma-buf of whole pages of a memory file; -1 on failure, with errno. */
static int wrapMemoryFile(const char* path, size_t size) {
    struct udmabuf_create request = {0};
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t whole = (size + page - 1) / page * page;
    const int device = open(path, O_RDWR | O_CLOEXEC);
    const int file = device < 0 ? -1 : makeMemoryFile(whole);
    int made = -1;
    if (file >= 0 && fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK) == 0) {
        request.memfd = (__u32)file;
        request.flags = UDMABUF_FLAGS_CLOEXEC;
        request.size = whole;
        made = ioctl(device, UDMABUF_CREATE, &request);
    }
    if (file >= 0) {
        close(file); /* the dma-buf keeps the pages */
    }
    if (device >= 0) {
        close(device);
    }
    return made;
}

/* Gives the tensors of larodCreateModelInputs or -Outputs a buffer, and has the service keep what it needs for it. */
static bool useOwnBuffer(struct app* app, struct buffer* buffer) {
    larodError* error = NULL;
    const bool isMemory = strcmp(app->source, "memory") == 0;
    size_t size = 0;
    if (!larodGetTensorByteSize(buffer->tensor[0], &size, &error)) {
        return failedCall("size of a tensor", &error);
    }
    if (isMemory) {
        buffer->fd = makeMemoryFile(size);
    } else if (strstr(app->source, "udmabuf")) {
        buffer->fd = wrapMemoryFile(app->source, size);
    } else {
        buffer->fd = allocateFromHeap(app->source, size);
    }
    if (buffer->fd < 0) {
        return failed(app->source, strerror(errno));
    }
    /* The props are a promise: a dma-buf that the CPU may map, too, or a file. */
    if (!larodSetTensorFd(buffer->tensor[0], buffer->fd, &error) ||
        !larodSetTensorFdSize(buffer->tensor[0], size, &error) ||
        !larodSetTensorFdProps(buffer->tensor[0], isMemory ? LAROD_FD_TYPE_DISK : LAROD_FD_TYPE_DMA, &error) ||
        !larodTrackTensor(app->conn, buffer->tensor[0], &error)) {
        return failedCall("buffer of a tensor", &error);
    }
    return true;
}

/* ---- Before the first job ---- */

/* Loads a preprocessing model: a description, without a file. */
static bool loadModel(struct app* app) {
    larodError* error = NULL;
    larodMap* params = NULL;
    const larodDevice* device = larodGetDevice(app->conn, app->device, 0, &error);
    if (!device) {
        return failedCall(app->device, &error);
    }
    params = larodCreateMap(&error);
    if (params && larodMapSetStr(params, "image.input.format", "nv12", &error) &&
        larodMapSetIntArr2(params, "image.input.size", WIDTH, HEIGHT, &error) &&
        larodMapSetStr(params, "image.output.format", "rgb-interleaved", &error) &&
        larodMapSetIntArr2(params, "image.output.size", WIDTH / 2, HEIGHT / 2, &error)) {
        app->model = larodLoadModel(app->conn, -1, device, LAROD_ACCESS_PRIVATE, "half", params, &error);
    }
    larodDestroyMap(&params);
    return app->model ? true : failedCall("loading the model", &error);
}

/* Makes tensors with buffers, and maps them: once, not for each job. */
static bool makeBuffers(struct app* app) {
    larodError* error = NULL;
    larodDmaBufError why;
    if (strcmp(app->source, "service") == 0) {
        /* LAROD_FD_PROP_DMABUF demands dma-bufs. With 0 the service chooses what suits the device. They are tracked. */
        app->input.tensor = larodAllocModelInputs(app->conn, app->model, LAROD_FD_PROP_DMABUF, NULL, NULL, &error);
        if (!app->input.tensor) {
            return failedCall("allocating the input", &error);
        }
        app->output.tensor = larodAllocModelOutputs(app->conn, app->model, LAROD_FD_PROP_DMABUF, NULL, NULL, &error);
        if (!app->output.tensor) {
            return failedCall("allocating the output", &error);
        }
    } else {
        app->input.tensor = larodCreateModelInputs(app->model, NULL, &error);
        app->output.tensor = app->input.tensor ? larodCreateModelOutputs(app->model, NULL, &error) : NULL;
        if (!app->output.tensor) {
            return failedCall("making tensors", &error);
        }
        if (!useOwnBuffer(app, &app->input) || !useOwnBuffer(app, &app->output)) {
            return false;
        }
    }
    if (!larodDmaBufMap(app->input.tensor[0], LAROD_DMA_BUF_WRITE, &app->input.mapping, &why)) {
        return failed("mapping the input", why.msg);
    }
    if (!larodDmaBufMap(app->output.tensor[0], LAROD_DMA_BUF_READ, &app->output.mapping, &why)) {
        return failed("mapping the output", why.msg);
    }
    app->job = larodCreateJobRequest(app->model, app->input.tensor, 1, app->output.tensor, 1, NULL, &error);
    return app->job ? true : failedCall("making the job request", &error);
}

/* ---- For each job ---- */

static bool runJob(struct app* app, unsigned number) {
    larodError* error = NULL;
    larodDmaBufError why;
    larodDmaBufMapping* const in = &app->input.mapping;
    larodDmaBufMapping* const out = &app->output.mapping;
    const int luma = BLACK + LUMA_STEP * (int)(number % LUMA_LEVELS);
    const size_t lumaSize = in->size / 3 * 2; /* the rest is chroma, at a quarter of the pixels, two bytes each */
    uint64_t sum = 0;
    size_t i = 0;

    /* Steps 1 to 3. The whole input is written: where a part is to stay as it was, the access is READ_WRITE. */
    if (!larodDmaBufBegin(in, LAROD_DMA_BUF_WRITE, &why)) {
        return failed("input", why.msg);
    }
    memset(in->data, luma, lumaSize);
    memset(in->data + lumaSize, NEUTRAL, in->size - lumaSize);
    if (!larodDmaBufEnd(in, &why)) {
        return failed("input", why.msg);
    }

    /* Step 4. */
    if (!larodRunJob(app->conn, app->job, &error)) {
        return failedCall("job", &error);
    }

    /* Steps 5 to 7. */
    if (!larodDmaBufBegin(out, LAROD_DMA_BUF_READ, &why)) {
        return failed("output", why.msg);
    }
    for (i = 0; i < out->size; ++i) {
        sum += out->data[i];
    }
    if (!larodDmaBufEnd(out, &why)) {
        return failed("output", why.msg);
    }
    printf("job %u: luma %d in, mean of R, G and B out: %.2f\n", number, luma, (double)sum / (double)out->size);
    return true;
}

/* ---- The program ---- */

/* Mappings first. Destroying tensors ends their tracking, and closes fds that the service gave; own ones are ours. */
static void release(struct app* app, struct buffer* buffer) {
    larodDmaBufUnmap(&buffer->mapping);
    larodDestroyTensors(app->conn, &buffer->tensor, 1, NULL);
    if (buffer->fd >= 0) {
        close(buffer->fd);
    }
}

static bool run(struct app* app) {
    larodError* error = NULL;
    unsigned number = 0;
    if (!larodConnect(&app->conn, &error)) {
        return failedCall("no connection", &error);
    }
    if (!loadModel(app) || !makeBuffers(app)) {
        return false;
    }
    while (number < app->jobs) {
        if (!runJob(app, number++)) {
            return false;
        }
    }
    printf("%s\n", app->input.mapping.isDmaBuf ? "The buffers are dma-bufs." : "The buffers are memory files.");
    return true;
}

static void usage(FILE* stream) {
    fprintf(stream,
            "usage: dma_buf [--buffers SOURCE] [--device NAME] [--jobs N]\n"
            "Runs jobs on dma-bufs with the larod service that LAROD_SOCKET names.\n"
            "  --buffers SOURCE  where the buffers come from. Default: service\n"
            "                      service                dma-bufs that the service allocates\n"
            "                      /dev/dma_heap/system   or another heap\n"
            "                      /dev/udmabuf           memory files as dma-bufs\n"
            "                      memory                 memory files, which are no dma-bufs: the same program\n"
            "  --device NAME     a preprocessing device. Default: cpu-proc\n"
            "  --jobs N          Default: 10\n");
}

static bool parse(struct app* app, int argc, char** argv) {
    static const struct option kOptions[] = {{"buffers", required_argument, NULL, 'b'},
                                             {"device", required_argument, NULL, 'd'},
                                             {"jobs", required_argument, NULL, 'j'},
                                             {"help", no_argument, NULL, 'h'},
                                             {NULL, 0, NULL, 0}};
    int option = 0;
    while ((option = getopt_long(argc, argv, "", kOptions, NULL)) != -1) {
        char* end = NULL;
        switch (option) {
            case 'b':
                app->source = optarg;
                break;
            case 'd':
                app->device = optarg;
                break;
            case 'j':
                app->jobs = (unsigned)strtoul(optarg, &end, 10);
                if (*optarg < '0' || *optarg > '9' || *end != '\0') {
                    return failed("--jobs: expected a number of jobs, got", optarg);
                }
                break;
            case 'h':
                usage(stdout);
                exit(0);
            default:
                usage(stderr);
                return false;
        }
    }
    if (strcmp(app->source, "service") != 0 && strcmp(app->source, "memory") != 0 && app->source[0] != '/') {
        return failed("--buffers: expected service, memory or the path of a heap or of udmabuf, got", app->source);
    }
    return optind == argc ? true : failed("expected options only, got", argv[optind]);
}

int main(int argc, char** argv) {
    struct app app = {.source = "service", .device = "cpu-proc", .jobs = 10, .input = {.fd = -1}, .output = {.fd = -1}};
    bool good = false;
    if (!parse(&app, argc, argv)) {
        return 2;
    }
    good = run(&app);
    larodDestroyJobRequest(&app.job);
    release(&app, &app.input);
    release(&app, &app.output);
    larodDestroyModel(&app.model);
    larodDisconnect(&app.conn, NULL);
    return good ? 0 : 1;
}
