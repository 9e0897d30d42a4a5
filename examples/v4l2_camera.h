/* SPDX-License-Identifier: Apache-2.0 */
/* A V4L2 camera whose frames are dma-bufs. The driver's own buffers are exported, so nothing is copied. */
#ifndef V4L2_CAMERA_H
#define V4L2_CAMERA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CAMERA_MAX_FORMATS 16
#define CAMERA_MAX_BUFFERS 8

/* A pixel format that both V4L2 and larod have. */
struct cameraFormat {
    uint32_t fourcc;
    const char* larodName; /* for image.input.format */
    bool isYuv;
};

/* A function that fails returns false, and `error` says why, for a person. */
struct camera {
    int fd;                                                 /* readable when a frame is there; for poll() */
    const struct cameraFormat* formats[CAMERA_MAX_FORMATS]; /* what it can do, the smallest images first */
    unsigned numFormats;
    char error[256];

    /* After cameraSetFormat. */
    const struct cameraFormat* format;
    unsigned width;
    unsigned height;
    unsigned rowPitch;       /* bytes */
    const char* colorimetry; /* for image.input.colorimetry */

    /* After cameraStart. */
    unsigned numBuffers;
    int dmaBufs[CAMERA_MAX_BUFFERS];
    size_t sizes[CAMERA_MAX_BUFFERS]; /* bytes */

    uint32_t type; /* of buffers, as V4L2 calls it: single- or multi-planar */
    bool streams;
};

struct cameraFrame {
    unsigned buffer;   /* index in dmaBufs */
    uint32_t sequence; /* number of the frame; the camera counts also those that nobody got */
};

/* Opens the camera and finds out its formats. `camera` needs no initialisation; cameraClose is called in any case. */
bool cameraOpen(struct camera* camera, const char* path);

/* Sets one of `formats`, and the size; 0: it stays as it is. The camera may choose another size: see width and height.
 * Can be called again until buffers are allocated. */
bool cameraSetFormat(struct camera* camera, const struct cameraFormat* format, unsigned width, unsigned height);

/* Allocates about `count` buffers, exports them, and starts. From now on the camera fills them, one after another. */
bool cameraStart(struct camera* camera, unsigned count);

/* Takes the newest frame that is there, for the application, until cameraGiveBack. Older ones go back at once: a result
 * is about what is to be seen now. `got` is false where no frame is there yet. Never waits. */
bool cameraTakeNewest(struct camera* camera, struct cameraFrame* frame, bool* got);

/* Lets the camera fill the buffer again. It has few, and drops frames when it has none. */
bool cameraGiveBack(struct camera* camera, unsigned buffer);

void cameraClose(struct camera* camera);

#endif
