/* SPDX-License-Identifier: Apache-2.0 */
/* What the programs of old versions share. They are written as applications: C, larod.h and POSIX, no test library. */
#ifndef TESTS_INTEGRATION_API_APP_H
#define TESTS_INTEGRATION_API_APP_H

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "larod.h"

/* Ends the program where something is not as it must be. */
#define CHECK(condition) check((condition), #condition, __FILE__, __LINE__)

static inline void check(int holds, const char* condition, const char* file, int line) {
    if (!holds) {
        fprintf(stderr, "%s:%d: not so: %s\n", file, line, condition);
        exit(1);
    }
}

/* As CHECK, for calls of larod.h that must succeed. */
#define CHECK_CALL(condition, error) checkCall((condition), (error), #condition, __FILE__, __LINE__)

static inline void checkCall(int holds, const larodError* error, const char* condition, const char* file, int line) {
    if (!holds || error != NULL) {
        fprintf(stderr, "%s:%d: %s failed with %d: %s\n", file, line, condition, error != NULL ? (int)error->code : 0,
                error != NULL ? error->msg : "no error");
        exit(1);
    }
}

/* The code of an error, which is released; 0 for none. */
static inline int takeCode(larodError** error) {
    const int code = *error != NULL ? (int)(*error)->code : 0;
    larodClearError(error);
    return code;
}

/* Descriptors that the program has open. */
static inline int countFds(void) {
    int count = 0;
    DIR* directory = opendir("/proc/self/fd");
    CHECK(directory != NULL);
    while (readdir(directory) != NULL) {
        ++count;
    }
    closedir(directory);
    return count;
}

/* What a callback reports to the thread that waits for it. */
typedef struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int calls;
    int code; /* of the last call; 0 for success */
    larodModel* model;
} Report;

#define REPORT_INIT \
    { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0, NULL }

static inline void report(Report* target, larodModel* model, const larodError* error) {
    pthread_mutex_lock(&target->mutex);
    ++target->calls;
    target->code = error != NULL ? (int)error->code : 0;
    target->model = model;
    pthread_cond_signal(&target->changed);
    pthread_mutex_unlock(&target->mutex);
}

static inline void onLoaded(larodModel* model, void* userData, larodError* error) {
    report(userData, model, error);
}

static inline void onDone(void* userData, larodError* error) {
    report(userData, NULL, error);
}

/* Waits for that many calls since the beginning; gives the code of the last one. */
static inline int waitForCalls(Report* source, int calls) {
    pthread_mutex_lock(&source->mutex);
    while (source->calls < calls) {
        pthread_cond_wait(&source->changed, &source->mutex);
    }
    const int code = source->code;
    pthread_mutex_unlock(&source->mutex);
    return code;
}

#endif
