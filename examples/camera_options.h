/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of the camera example. */
#ifndef CAMERA_OPTIONS_H
#define CAMERA_OPTIONS_H

#include <stdbool.h>

/* Texts live as long as the command line. */
struct cameraOptions {
    const char* camera; /* device node */
    const char* model;  /* file */
    const char* preprocessing;
    const char* network;
    const char* mean; /* NULL: as is usual for the network's type */
    const char* scale;
    const char* format; /* of the camera's images, as larod calls it; NULL: any */
    unsigned width;     /* wanted of the camera, pixels; 0: as it is */
    unsigned height;
    unsigned long frames; /* 0: no limit */
};

/* False after it has told on stderr what is wrong. With --help it tells, and ends the program. */
bool parseCameraOptions(struct cameraOptions* options, int argc, char** argv);

#endif
