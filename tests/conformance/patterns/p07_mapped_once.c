/* SPDX-License-Identifier: Apache-2.0 */
/* P7: maps the outputs once, shared or private, and reads them after each job without mapping again. */
#include "pattern.h"

static void readThrough(int flags) {
    larodConnection* conn = NULL;
    larodModel* model = NULL;
    larodTensor** inputs = NULL;
    larodTensor** outputs = NULL;
    larodJobRequest* request = NULL;
    size_t size = 0;
    const unsigned char* result = NULL;
    unsigned char round = 0;
    CHECK(larodConnect(&conn, NULL));
    model = loadEcho(conn, "uint8:5000");
    inputs = larodAllocModelInputs(conn, model, 0, NULL, NULL, NULL);
    outputs = larodAllocModelOutputs(conn, model, 0, NULL, NULL, NULL);
    CHECK(inputs != NULL && outputs != NULL);
    CHECK(larodGetTensorFdSize(outputs[0], &size, NULL));
    CHECK(size == 5000);
    result = mmap(NULL, size, PROT_READ, flags, larodGetTensorFd(outputs[0], NULL), 0);
    CHECK(result != MAP_FAILED);
    request = larodCreateJobRequest(model, inputs, 1, outputs, 1, NULL, NULL);
    CHECK(request != NULL);
    for (round = 1; round < 50; ++round) {
        unsigned char data[5000];
        memset(data, round, sizeof(data));
        CHECK(pwrite(larodGetTensorFd(inputs[0], NULL), data, sizeof(data), 0) == (ssize_t)sizeof(data));
        CHECK(larodRunJob(conn, request, NULL));
        CHECK(memcmp(result, data, sizeof(data)) == 0);
    }
    CHECK(munmap((void*)result, size) == 0);
    larodDestroyJobRequest(&request);
    CHECK(larodDestroyTensors(conn, &inputs, 1, NULL));
    CHECK(larodDestroyTensors(conn, &outputs, 1, NULL));
    larodDestroyModel(&model);
    CHECK(larodDisconnect(&conn, NULL));
}

int main(void) {
    readThrough(MAP_SHARED);
    readThrough(MAP_PRIVATE);
    return 0;
}
