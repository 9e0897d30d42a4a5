/* SPDX-License-Identifier: Apache-2.0 */
/* P10: the output is an empty file, which the service lengthens; the next job has it as input. */
#include "pattern.h"

#define SIDE 16
#define BYTES (SIDE * SIDE * 3)

int main(void) {
    larodConnection* conn = NULL;
    larodModel* pre = NULL;
    larodModel* net = NULL;
    larodTensor** frame = NULL;
    larodTensor** preOutputs = NULL;
    larodTensor** netInputs = NULL;
    larodTensor** netOutputs = NULL;
    larodJobRequest* preRequest = NULL;
    larodJobRequest* netRequest = NULL;
    const int frameFd = makeFilledFile(SIDE * SIDE * 3 / 2, 150);
    const int betweenFd = makeFile();
    const int resultFd = makeFile();
    unsigned char expected[BYTES];
    unsigned char seen[BYTES];
    struct stat status;
    int i = 0;
    CHECK(larodConnect(&conn, NULL));
    pre = loadConverter(conn, SIDE, SIDE);
    net = loadEcho(conn, "uint8:1x16x16x3");
    frame = larodCreateModelInputs(pre, NULL, NULL);
    preOutputs = larodCreateModelOutputs(pre, NULL, NULL);
    netInputs = larodCreateModelInputs(net, NULL, NULL);
    netOutputs = larodCreateModelOutputs(net, NULL, NULL);
    CHECK(larodSetTensorFd(frame[0], frameFd, NULL));
    CHECK(larodSetTensorFd(preOutputs[0], betweenFd, NULL));
    CHECK(larodSetTensorFd(netInputs[0], betweenFd, NULL));
    CHECK(larodSetTensorFd(netOutputs[0], resultFd, NULL));
    preRequest = larodCreateJobRequest(pre, frame, 1, preOutputs, 1, NULL, NULL);
    netRequest = larodCreateJobRequest(net, netInputs, 1, netOutputs, 1, NULL, NULL);
    for (i = 0; i < 3; ++i) {
        CHECK(larodRunJob(conn, preRequest, NULL));
        CHECK(fstat(betweenFd, &status) == 0 && status.st_size == BYTES);
        CHECK(larodRunJob(conn, netRequest, NULL));
        CHECK(fstat(resultFd, &status) == 0 && status.st_size == BYTES);
        CHECK(pread(betweenFd, expected, BYTES, 0) == BYTES);
        CHECK(pread(resultFd, seen, BYTES, 0) == BYTES);
        CHECK(memcmp(seen, expected, BYTES) == 0);
    }
    larodDestroyJobRequest(&preRequest);
    larodDestroyJobRequest(&netRequest);
    larodDestroyTensors(NULL, &frame, 1, NULL);
    larodDestroyTensors(NULL, &preOutputs, 1, NULL);
    larodDestroyTensors(NULL, &netInputs, 1, NULL);
    larodDestroyTensors(NULL, &netOutputs, 1, NULL);
    larodDestroyModel(&pre);
    larodDestroyModel(&net);
    CHECK(larodDisconnect(&conn, NULL));
    close(frameFd);
    close(betweenFd);
    close(resultFd);
    return 0;
}
