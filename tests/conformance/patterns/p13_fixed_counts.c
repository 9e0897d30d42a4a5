/* SPDX-License-Identifier: Apache-2.0 */
/* P13: does not ask how many tensors there are; it knows its network, which has one input and two outputs. */
#include "pattern.h"

int main(int argc, char** argv) {
    larodConnection* conn = NULL;
    larodModel* model = NULL;
    larodTensor** inputs = NULL;
    larodTensor** outputs = NULL;
    larodJobRequest* request = NULL;
    int fd = -1;
    CHECK(argc == 2);
    CHECK(larodConnect(&conn, NULL));
    fd = open(argv[1], O_RDONLY);
    model = larodLoadModel(conn, fd, larodGetDevice(conn, "cpu-tflite", 0, NULL), LAROD_ACCESS_PRIVATE, "", NULL, NULL);
    CHECK(model != NULL);
    inputs = larodAllocModelInputs(conn, model, 0, NULL, NULL, NULL);
    outputs = larodAllocModelOutputs(conn, model, 0, NULL, NULL, NULL);
    CHECK(inputs != NULL && outputs != NULL);
    request = larodCreateJobRequest(model, inputs, 1, outputs, 2, NULL, NULL);
    CHECK(request != NULL);
    CHECK(larodRunJob(conn, request, NULL));
    larodDestroyJobRequest(&request);
    CHECK(larodDestroyTensors(conn, &inputs, 1, NULL));
    CHECK(larodDestroyTensors(conn, &outputs, 2, NULL));
    larodDestroyModel(&model);
    CHECK(larodDisconnect(&conn, NULL));
    close(fd);
    return 0;
}
