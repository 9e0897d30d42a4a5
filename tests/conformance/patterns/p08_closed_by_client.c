/* SPDX-License-Identifier: Apache-2.0 */
/* P8: closes the descriptors of allocated tensors itself, before it destroys the tensors, or after disconnecting. */
#include "pattern.h"

int main(void) {
    int late = 0;
    for (late = 0; late < 2; ++late) {
        larodConnection* conn = NULL;
        larodModel* model = NULL;
        larodTensor** inputs = NULL;
        larodTensor** outputs = NULL;
        larodJobRequest* request = NULL;
        int other = -1;
        int inputFd = -1;
        CHECK(larodConnect(&conn, NULL));
        model = loadEcho(conn, "uint8:100");
        inputs = larodAllocModelInputs(conn, model, 0, NULL, NULL, NULL);
        outputs = larodAllocModelOutputs(conn, model, 0, NULL, NULL, NULL);
        CHECK(inputs != NULL && outputs != NULL);
        request = larodCreateJobRequest(model, inputs, 1, outputs, 1, NULL, NULL);
        CHECK(larodRunJob(conn, request, NULL));
        if (late) {
            CHECK(larodDisconnect(&conn, NULL));
        }
        inputFd = larodGetTensorFd(inputs[0], NULL);
        CHECK(close(inputFd) == 0);
        CHECK(close(larodGetTensorFd(outputs[0], NULL)) == 0);
        /* The number is the application's again, and stays so. */
        other = dup2(STDERR_FILENO, inputFd);
        CHECK(other == inputFd);
        larodDestroyJobRequest(&request);
        larodDestroyTensors(conn, &inputs, 1, NULL);
        larodDestroyTensors(conn, &outputs, 1, NULL);
        CHECK(fcntl(other, F_GETFD) >= 0);
        CHECK(close(other) == 0);
        larodDestroyModel(&model);
        CHECK(larodDisconnect(&conn, NULL));
    }
    return 0;
}
