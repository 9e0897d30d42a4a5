/* SPDX-License-Identifier: Apache-2.0 */
/* P4: models without a name, with an empty one, and twice the same. */
#include "pattern.h"

int main(void) {
    const char* const names[] = {"", NULL, "Vdo larod model", "Vdo larod model"};
    larodConnection* conn = NULL;
    larodModel* models[4] = {NULL};
    larodMap* map = larodCreateMap(NULL);
    size_t i = 0;
    CHECK(larodConnect(&conn, NULL));
    for (i = 0; i < 4; ++i) {
        models[i] = larodLoadModel(conn, -1, larodGetDevice(conn, "debug-device", 0, NULL), LAROD_ACCESS_PRIVATE,
                                   names[i], map, NULL);
        CHECK(models[i] != NULL);
        CHECK(strcmp(larodGetModelName(models[i], NULL), names[i] == NULL ? "" : names[i]) == 0);
    }
    CHECK(larodGetModelId(models[2], NULL) != larodGetModelId(models[3], NULL));
    larodDestroyMap(&map);
    for (i = 0; i < 4; ++i) {
        larodDestroyModel(&models[i]);
    }
    CHECK(larodDisconnect(&conn, NULL));
    return 0;
}
