/* SPDX-License-Identifier: Apache-2.0 */
/* P3: loads onto a device that it did not check: on this machine there is none of that name. */
#include "pattern.h"

int main(int argc, char** argv) {
    larodConnection* conn = NULL;
    larodError* error = NULL;
    larodModel* model = NULL;
    int fd = -1;
    CHECK(argc == 2);
    fd = open(argv[1], O_RDONLY);
    CHECK(fd >= 0);
    CHECK(larodConnect(&conn, NULL));
    model = larodLoadModel(conn, fd, larodGetDevice(conn, "axis-a8-dlpu-tflite", 0, NULL), LAROD_ACCESS_PRIVATE,
                           "Vdo larod model", NULL, &error);
    CHECK(model == NULL);
    CHECK(error != NULL && error->msg != NULL);
    larodClearError(&error);
    /* It falls back, on the same connection and with the same file. */
    model = larodLoadModel(conn, fd, larodGetDevice(conn, "cpu-tflite", 0, NULL), LAROD_ACCESS_PRIVATE,
                           "Vdo larod model", NULL, &error);
    CHECK(model != NULL);
    /* Deleting a model that was never loaded is a failure, and nothing more. */
    CHECK(!larodDeleteModel(conn, NULL, NULL));
    larodDestroyModel(&model);
    CHECK(larodDisconnect(&conn, NULL));
    close(fd);
    return 0;
}
