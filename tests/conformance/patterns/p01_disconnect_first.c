/* SPDX-License-Identifier: Apache-2.0 */
/* P1: disconnects first and destroys everything else afterwards, with the connection that is NULL by then. */
#include "pattern.h"

int main(void) {
    larodConnection* conn = NULL;
    larodError* error = NULL;
    larodModel* model = NULL;
    larodTensor** inputs = NULL;
    larodTensor** outputs = NULL;
    larodJobRequest* request = NULL;
    size_t numInputs = 0;
    size_t numOutputs = 0;
    CHECK(larodConnect(&conn, &error));
    model = loadEcho(conn, "uint8:64");
    inputs = larodAllocModelInputs(conn, model, 0, &numInputs, NULL, &error);
    outputs = larodAllocModelOutputs(conn, model, 0, &numOutputs, NULL, &error);
    CHECK(inputs != NULL && outputs != NULL);
    request = larodCreateJobRequest(model, inputs, numInputs, outputs, numOutputs, NULL, &error);
    CHECK(request != NULL);
    CHECK(larodRunJob(conn, request, &error));

    CHECK(larodDisconnect(&conn, NULL));
    CHECK(conn == NULL);
    CHECK(!larodDestroyTensors(conn, &inputs, numInputs, &error));
    CHECK(error != NULL && error->code == LAROD_ERROR_CONNECTION);
    CHECK(inputs == NULL);
    larodClearError(&error);
    larodDestroyTensors(conn, &outputs, numOutputs, &error);
    CHECK(outputs == NULL);
    larodDestroyJobRequest(&request);
    larodDestroyModel(&model);
    larodClearError(&error);
    CHECK(request == NULL && model == NULL && error == NULL);
    return 0;
}
