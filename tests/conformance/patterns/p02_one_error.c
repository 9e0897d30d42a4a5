/* SPDX-License-Identifier: Apache-2.0 */
/* P2: one error variable for everything, cleared once, at the end. */
#include "pattern.h"

int main(void) {
    larodConnection* conn = NULL;
    larodError* error = NULL;
    larodError* kept[4] = {NULL};
    uint64_t sessions = 0;
    int i = 0;
    CHECK(larodConnect(&conn, &error));
    CHECK(error == NULL);
    for (i = 0; i < 4; ++i) {
        /* A new object each time; what is there already is neither read nor released. */
        CHECK(larodGetDevice(conn, "no-such-device", 0, &error) == NULL);
        CHECK(error != NULL && error->code == LAROD_ERROR_INVALID_CHIP_ID && error->msg != NULL);
        CHECK(i == 0 || error != kept[i - 1]);
        kept[i] = error;
        /* A success in between leaves it alone. */
        CHECK(larodGetNumSessions(conn, &sessions, &error));
        CHECK(error == kept[i] && sessions == 1);
    }
    CHECK(larodDisconnect(&conn, &error));
    for (i = 0; i < 4; ++i) {
        larodClearError(&kept[i]);
    }
    return 0;
}
