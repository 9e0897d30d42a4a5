/* SPDX-License-Identifier: Apache-2.0 */
/* P11: a request gets another input before each run, as camera frames come; the output stays. */
#include "pattern.h"

#define FRAMES 4
#define BYTES 256

int main(void) {
    larodConnection* conn = NULL;
    larodModel* model = NULL;
    larodTensor** frames[FRAMES] = {NULL};
    int fds[FRAMES];
    larodTensor** outputs = NULL;
    larodJobRequest* request = NULL;
    int i = 0;
    CHECK(larodConnect(&conn, NULL));
    model = loadEcho(conn, "uint8:256");
    for (i = 0; i < FRAMES; ++i) {
        fds[i] = makeFilledFile(BYTES, i + 1);
        frames[i] = larodCreateModelInputs(model, NULL, NULL);
        CHECK(larodSetTensorFd(frames[i][0], fds[i], NULL));
        CHECK(larodSetTensorFdProps(frames[i][0], LAROD_FD_TYPE_DISK, NULL));
        CHECK(larodTrackTensor(conn, frames[i][0], NULL));
    }
    outputs = larodAllocModelOutputs(conn, model, 0, NULL, NULL, NULL);
    CHECK(outputs != NULL);
    request = larodCreateJobRequest(model, frames[0], 1, outputs, 1, NULL, NULL);
    for (i = 0; i < 100; ++i) {
        unsigned char seen[BYTES];
        CHECK(larodSetJobRequestInputs(request, frames[i % FRAMES], 1, NULL));
        CHECK(larodRunJob(conn, request, NULL));
        CHECK(pread(larodGetTensorFd(outputs[0], NULL), seen, BYTES, 0) == BYTES);
        CHECK(seen[0] == i % FRAMES + 1 && seen[BYTES - 1] == i % FRAMES + 1);
    }
    larodDestroyJobRequest(&request);
    for (i = 0; i < FRAMES; ++i) {
        CHECK(larodDestroyTensors(conn, &frames[i], 1, NULL));
        close(fds[i]);
    }
    CHECK(larodDestroyTensors(conn, &outputs, 1, NULL));
    larodDestroyModel(&model);
    CHECK(larodDisconnect(&conn, NULL));
    return 0;
}
