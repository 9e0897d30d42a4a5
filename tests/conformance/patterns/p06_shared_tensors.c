/* SPDX-License-Identifier: Apache-2.0 */
/* P6: the outputs of the preprocessing are the inputs of the inference: the same tensor objects in both requests,
 * allocated by the one or the other model. */
#include "pattern.h"

#define SIDE 16
#define BYTES (SIDE * SIDE * 3)

static void fill(larodTensor* tensor, int value) {
    size_t size = 0;
    void* memory = NULL;
    CHECK(larodGetTensorFdSize(tensor, &size, NULL));
    memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, larodGetTensorFd(tensor, NULL), 0);
    CHECK(memory != MAP_FAILED);
    memset(memory, value, size);
    munmap(memory, size);
}

static void run(larodConnection* conn, larodModel* pre, larodModel* net, int allocatedByNet) {
    larodTensor** frame = larodAllocModelInputs(conn, pre, 0, NULL, NULL, NULL);
    larodTensor** between = allocatedByNet ? larodAllocModelInputs(conn, net, 0, NULL, NULL, NULL)
                                           : larodAllocModelOutputs(conn, pre, 0, NULL, NULL, NULL);
    larodTensor** result = larodAllocModelOutputs(conn, net, 0, NULL, NULL, NULL);
    larodJobRequest* preRequest = NULL;
    larodJobRequest* netRequest = NULL;
    unsigned char seen[BYTES];
    unsigned char expected[BYTES];
    int value = 0;
    CHECK(frame != NULL && between != NULL && result != NULL);
    preRequest = larodCreateJobRequest(pre, frame, 1, between, 1, NULL, NULL);
    netRequest = larodCreateJobRequest(net, between, 1, result, 1, NULL, NULL);
    CHECK(preRequest != NULL && netRequest != NULL);
    for (value = 60; value < 200; value += 50) {
        fill(frame[0], value);
        CHECK(larodRunJob(conn, preRequest, NULL));
        CHECK(larodRunJob(conn, netRequest, NULL));
        CHECK(pread(larodGetTensorFd(between[0], NULL), expected, BYTES, 0) == BYTES);
        CHECK(pread(larodGetTensorFd(result[0], NULL), seen, BYTES, 0) == BYTES);
        CHECK(memcmp(seen, expected, BYTES) == 0);
        CHECK(seen[0] != 0 || seen[1] != 0 || seen[2] != 0);
    }
    larodDestroyJobRequest(&preRequest);
    larodDestroyJobRequest(&netRequest);
    CHECK(larodDestroyTensors(conn, &frame, 1, NULL));
    CHECK(larodDestroyTensors(conn, &between, 1, NULL));
    CHECK(larodDestroyTensors(conn, &result, 1, NULL));
}

int main(void) {
    larodConnection* conn = NULL;
    larodModel* pre = NULL;
    larodModel* net = NULL;
    CHECK(larodConnect(&conn, NULL));
    pre = loadConverter(conn, SIDE, SIDE);
    net = loadEcho(conn, "uint8:1x16x16x3");
    run(conn, pre, net, 0);
    run(conn, pre, net, 1);
    larodDestroyModel(&pre);
    larodDestroyModel(&net);
    CHECK(larodDisconnect(&conn, NULL));
    return 0;
}
