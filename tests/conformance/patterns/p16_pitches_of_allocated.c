/* SPDX-License-Identifier: Apache-2.0 */
/* P16: sets the pitches of a tensor that the service has allocated, before it makes the request. */
#include "pattern.h"

int main(void) {
    larodConnection* conn = NULL;
    larodModel* model = NULL;
    larodTensor** inputs = NULL;
    larodTensor** outputs = NULL;
    larodJobRequest* request = NULL;
    const larodTensorPitches rows = {{16 * 16 * 3, 16 * 16 * 3, 16 * 3, 3}, 4};
    CHECK(larodConnect(&conn, NULL));
    model = loadConverter(conn, 16, 16);
    inputs = larodAllocModelInputs(conn, model, 0, NULL, NULL, NULL);
    outputs = larodAllocModelOutputs(conn, model, 0, NULL, NULL, NULL);
    CHECK(inputs != NULL && outputs != NULL);
    CHECK(larodSetTensorPitches(outputs[0], &rows, NULL));
    CHECK(larodGetTensorPitches(outputs[0], NULL)->pitches[2] == 16 * 3);
    request = larodCreateJobRequest(model, inputs, 1, outputs, 1, NULL, NULL);
    CHECK(request != NULL);
    CHECK(larodRunJob(conn, request, NULL));
    larodDestroyJobRequest(&request);
    CHECK(larodDestroyTensors(conn, &inputs, 1, NULL));
    CHECK(larodDestroyTensors(conn, &outputs, 1, NULL));
    larodDestroyModel(&model);
    CHECK(larodDisconnect(&conn, NULL));
    return 0;
}
