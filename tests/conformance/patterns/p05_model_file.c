/* SPDX-License-Identifier: Apache-2.0 */
/* P5: closes the model's file right after loading; or keeps it and loads from it again. */
#include "pattern.h"

int main(int argc, char** argv) {
    larodConnection* conn = NULL;
    const larodDevice* device = NULL;
    larodModel* first = NULL;
    larodModel* second = NULL;
    int fd = -1;
    CHECK(argc == 2);
    CHECK(larodConnect(&conn, NULL));
    device = larodGetDevice(conn, "cpu-tflite", 0, NULL);
    CHECK(device != NULL);
    fd = open(argv[1], O_RDONLY);
    CHECK(fd >= 0);
    /* The first attempt goes elsewhere and fails. */
    CHECK(larodLoadModel(conn, fd, larodGetDevice(conn, "cpu-proc", 0, NULL), LAROD_ACCESS_PRIVATE, "", NULL, NULL) ==
          NULL);
    first = larodLoadModel(conn, fd, device, LAROD_ACCESS_PRIVATE, "first", NULL, NULL);
    CHECK(first != NULL);
    second = larodLoadModel(conn, fd, device, LAROD_ACCESS_PRIVATE, "second", NULL, NULL);
    CHECK(second != NULL);
    CHECK(close(fd) == 0);
    {
        larodTensor** inputs = larodAllocModelInputs(conn, second, 0, NULL, NULL, NULL);
        larodTensor** outputs = larodAllocModelOutputs(conn, second, 0, NULL, NULL, NULL);
        const size_t numInputs = larodGetModelNumInputs(second, NULL);
        const size_t numOutputs = larodGetModelNumOutputs(second, NULL);
        larodJobRequest* request = NULL;
        CHECK(inputs != NULL && outputs != NULL);
        request = larodCreateJobRequest(second, inputs, numInputs, outputs, numOutputs, NULL, NULL);
        CHECK(larodRunJob(conn, request, NULL));
        larodDestroyJobRequest(&request);
        CHECK(larodDestroyTensors(conn, &inputs, numInputs, NULL));
        CHECK(larodDestroyTensors(conn, &outputs, numOutputs, NULL));
    }
    larodDestroyModel(&first);
    larodDestroyModel(&second);
    CHECK(larodDisconnect(&conn, NULL));
    return 0;
}
