/* SPDX-License-Identifier: Apache-2.0 */
/* P9: temporary files with the properties as they are, for hundreds of jobs; one output is rewound before each job, the
 * other never; results are read at the beginning, through a mapping. */
#include "pattern.h"

#define BYTES 600

int main(void) {
    larodConnection* conn = NULL;
    larodMap* map = larodCreateMap(NULL);
    larodModel* model = NULL;
    larodTensor** inputs = NULL;
    larodTensor** outputs = NULL;
    larodJobRequest* request = NULL;
    unsigned char* in = NULL;
    const unsigned char* out[2] = {NULL};
    const int inputFd = makeFilledFile(BYTES, 0);
    const int outputFds[2] = {makeFilledFile(BYTES, 0), makeFilledFile(BYTES, 0)};
    int i = 0;
    CHECK(larodConnect(&conn, NULL));
    CHECK(larodMapSetInt(map, "debug.echo", 1, NULL));
    CHECK(larodMapSetStr(map, "debug.input.0", "uint8:600", NULL));
    CHECK(larodMapSetStr(map, "debug.output.0", "uint8:600", NULL));
    CHECK(larodMapSetStr(map, "debug.output.1", "uint8:600", NULL));
    model =
        larodLoadModel(conn, -1, larodGetDevice(conn, "debug-device", 0, NULL), LAROD_ACCESS_PRIVATE, "", map, NULL);
    CHECK(model != NULL);
    inputs = larodCreateModelInputs(model, NULL, NULL);
    outputs = larodCreateModelOutputs(model, NULL, NULL);
    CHECK(larodSetTensorFd(inputs[0], inputFd, NULL));
    in = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, inputFd, 0);
    CHECK(in != MAP_FAILED);
    for (i = 0; i < 2; ++i) {
        CHECK(larodSetTensorFd(outputs[i], outputFds[i], NULL));
        out[i] = mmap(NULL, BYTES, PROT_READ, MAP_SHARED, outputFds[i], 0);
        CHECK(out[i] != MAP_FAILED);
    }
    request = larodCreateJobRequest(model, inputs, 1, outputs, 2, NULL, NULL);
    for (i = 0; i < 300; ++i) {
        struct stat status;
        memset(in, i, BYTES);
        CHECK(lseek(outputFds[0], 0, SEEK_SET) == 0);
        CHECK(larodRunJob(conn, request, NULL));
        CHECK(memcmp(in, out[0], BYTES) == 0);
        CHECK(memcmp(in, out[1], BYTES) == 0);
        CHECK(fstat(outputFds[1], &status) == 0);
        CHECK(status.st_size == BYTES);
    }
    larodDestroyJobRequest(&request);
    larodDestroyTensors(conn, &inputs, 1, NULL);
    larodDestroyTensors(conn, &outputs, 2, NULL);
    larodDestroyModel(&model);
    larodDestroyMap(&map);
    CHECK(larodDisconnect(&conn, NULL));
    munmap(in, BYTES);
    munmap((void*)out[0], BYTES);
    munmap((void*)out[1], BYTES);
    close(inputFd);
    close(outputFds[0]);
    close(outputFds[1]);
    return 0;
}
