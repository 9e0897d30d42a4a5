/* SPDX-License-Identifier: Apache-2.0 */
/* P15: deletes each model, disconnects, and destroys the handles at the end. */
#include "pattern.h"

int main(void) {
    larodConnection* conn = NULL;
    larodModel* models[3] = {NULL};
    larodModel** listed = NULL;
    size_t count = 42;
    size_t i = 0;
    CHECK(larodConnect(&conn, NULL));
    models[0] = loadConverter(conn, 16, 16);
    models[1] = loadEcho(conn, "uint8:8");
    models[2] = loadEcho(conn, "uint8:8");
    for (i = 0; i < 3; ++i) {
        CHECK(larodDeleteModel(conn, models[i], NULL));
    }
    listed = larodGetModels(conn, &count, NULL);
    CHECK(listed != NULL && count == 0);
    larodDestroyModels(&listed, count);
    CHECK(larodDisconnect(&conn, NULL));
    for (i = 0; i < 3; ++i) {
        larodDestroyModel(&models[i]);
        CHECK(models[i] == NULL);
    }
    return 0;
}
