/* SPDX-License-Identifier: Apache-2.0 */
/* What the programs here share. Each is an application that uses the interface in a way that published ones do. */
#ifndef PATTERN_H
#define PATTERN_H

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "larod.h"

/* Ends the program where a condition does not hold. */
#define CHECK(condition)                                                            \
    do {                                                                            \
        if (!(condition)) {                                                         \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
            exit(1);                                                                \
        }                                                                           \
    } while (0)

/* Converts nv12 images to interleaved RGB; the caller releases the model. */
static inline larodModel* loadConverter(larodConnection* conn, int64_t width, int64_t height) {
    larodMap* map = larodCreateMap(NULL);
    larodModel* model = NULL;
    CHECK(map != NULL);
    CHECK(larodMapSetStr(map, "image.input.format", "nv12", NULL));
    CHECK(larodMapSetIntArr2(map, "image.input.size", width, height, NULL));
    CHECK(larodMapSetStr(map, "image.output.format", "rgb-interleaved", NULL));
    CHECK(larodMapSetIntArr2(map, "image.output.size", width, height, NULL));
    model = larodLoadModel(conn, -1, larodGetDevice(conn, "cpu-proc", 0, NULL), LAROD_ACCESS_PRIVATE, "", map, NULL);
    larodDestroyMap(&map);
    CHECK(model != NULL);
    return model;
}

/* Stands for a network: its output is its input, of the type and dimensions in `spec`. */
static inline larodModel* loadEcho(larodConnection* conn, const char* spec) {
    larodMap* map = larodCreateMap(NULL);
    larodModel* model = NULL;
    CHECK(map != NULL);
    CHECK(larodMapSetInt(map, "debug.echo", 1, NULL));
    CHECK(larodMapSetStr(map, "debug.input.0", spec, NULL));
    CHECK(larodMapSetStr(map, "debug.output.0", spec, NULL));
    model =
        larodLoadModel(conn, -1, larodGetDevice(conn, "debug-device", 0, NULL), LAROD_ACCESS_PRIVATE, "", map, NULL);
    larodDestroyMap(&map);
    CHECK(model != NULL);
    return model;
}

/* An empty temporary file that has no name. */
static inline int makeFile(void) {
    char name[] = "/tmp/larod-pattern-XXXXXX";
    const int fd = mkstemp(name);
    CHECK(fd >= 0);
    CHECK(unlink(name) == 0);
    return fd;
}

/* A file of `size` bytes, at most a page, of this value. */
static inline int makeFilledFile(size_t size, int value) {
    const int fd = makeFile();
    char bytes[4096];
    CHECK(size <= sizeof(bytes));
    memset(bytes, value, size);
    CHECK(pwrite(fd, bytes, size, 0) >= 0);
    return fd;
}

#endif
