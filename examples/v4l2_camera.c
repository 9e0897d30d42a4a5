/* SPDX-License-Identifier: Apache-2.0 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "v4l2_camera.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* The smallest images first. */
static const struct cameraFormat kFormats[] = {
    {V4L2_PIX_FMT_NV12, "nv12", true},
    {V4L2_PIX_FMT_NV21, "nv21", true},
    {V4L2_PIX_FMT_YUV420, "i420", true},
    {V4L2_PIX_FMT_YUYV, "yuyv", true},
    {V4L2_PIX_FMT_UYVY, "uyvy", true},
    {V4L2_PIX_FMT_RGB24, "rgb-interleaved", false},
    {V4L2_PIX_FMT_BGR24, "bgr-interleaved", false},
    {V4L2_PIX_FMT_RGBA32, "rgba-interleaved", false},
    {V4L2_PIX_FMT_RGBX32, "rgba-interleaved", false},
    {V4L2_PIX_FMT_GREY, "gray", false},
};
#define NUM_FORMATS (sizeof(kFormats) / sizeof(kFormats[0]))

__attribute__((format(printf, 2, 3))) static bool fail(struct camera* camera, const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(camera->error, sizeof(camera->error), format, arguments);
    va_end(arguments);
    return false;
}

static int request(const struct camera* camera, unsigned long number, void* argument) {
    int result = 0;
    do {
        result = ioctl(camera->fd, number, argument);
    } while (result != 0 && errno == EINTR);
    return result;
}

static bool isMultiPlanar(const struct camera* camera) {
    return camera->type == V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE;
}

/* A buffer for a request. With the multi-planar interface `plane` is its only plane. */
static struct v4l2_buffer describe(const struct camera* camera, unsigned index, struct v4l2_plane* plane) {
    struct v4l2_buffer buffer;
    memset(&buffer, 0, sizeof(buffer));
    memset(plane, 0, sizeof(*plane));
    buffer.index = index;
    buffer.type = camera->type;
    buffer.memory = V4L2_MEMORY_MMAP;
    if (isMultiPlanar(camera)) {
        buffer.m.planes = plane;
        buffer.length = 1;
    }
    return buffer;
}

/* ---- Formats ---- */

static bool findFormats(struct camera* camera) {
    char has[128] = "";
    bool found[NUM_FORMATS] = {false};
    struct v4l2_fmtdesc description;
    size_t i = 0;
    memset(&description, 0, sizeof(description));
    description.type = camera->type;
    for (; request(camera, VIDIOC_ENUM_FMT, &description) == 0; ++description.index) {
        const uint32_t code = description.pixelformat;
        const size_t used = strlen(has);
        snprintf(has + used, sizeof(has) - used, " %c%c%c%c", (int)(code & 0x7f), (int)(code >> 8 & 0x7f),
                 (int)(code >> 16 & 0x7f), (int)(code >> 24 & 0x7f));
        for (i = 0; i < NUM_FORMATS; ++i) {
            found[i] = found[i] || kFormats[i].fourcc == code;
        }
    }
    for (i = 0; i < NUM_FORMATS; ++i) {
        if (found[i]) {
            camera->formats[camera->numFormats++] = &kFormats[i];
        }
    }
    return camera->numFormats > 0
               ? true
               : fail(camera, "expected a camera with NV12, YUYV, RGB3 or a similar format, this one has:%s", has);
}

/* What luma and chroma mean, in larod's words. */
static const char* colorimetryName(uint32_t colorspace, uint32_t encoding, uint32_t quantization) {
    if (encoding == V4L2_YCBCR_ENC_DEFAULT) {
        encoding = V4L2_MAP_YCBCR_ENC_DEFAULT(colorspace);
    }
    if (quantization == V4L2_QUANTIZATION_DEFAULT) {
        quantization = V4L2_MAP_QUANTIZATION_DEFAULT(false, colorspace, encoding);
    }
    const bool isFull = quantization == V4L2_QUANTIZATION_FULL_RANGE;
    switch (encoding) {
        case V4L2_YCBCR_ENC_709:
        case V4L2_YCBCR_ENC_XV709:
            return isFull ? "bt709-full" : "bt709-limited";
        case V4L2_YCBCR_ENC_BT2020:
            return isFull ? "bt2020-full" : "bt2020-limited";
        default:
            return isFull ? "bt601-full" : "bt601-limited";
    }
}

bool cameraSetFormat(struct camera* camera, const struct cameraFormat* format, unsigned width, unsigned height) {
    struct v4l2_format set;
    uint32_t fourcc = 0;
    memset(&set, 0, sizeof(set));
    set.type = camera->type;
    if (request(camera, VIDIOC_G_FMT, &set) != 0) {
        return fail(camera, "the camera does not tell its format: %s", strerror(errno));
    }
    if (isMultiPlanar(camera)) {
        struct v4l2_pix_format_mplane* const image = &set.fmt.pix_mp;
        image->pixelformat = format->fourcc;
        image->width = width ? width : image->width;
        image->height = height ? height : image->height;
        image->plane_fmt[0].bytesperline = 0; /* the driver's choice, and so below */
        image->plane_fmt[0].sizeimage = 0;
    } else {
        struct v4l2_pix_format* const image = &set.fmt.pix;
        image->pixelformat = format->fourcc;
        image->width = width ? width : image->width;
        image->height = height ? height : image->height;
        image->bytesperline = 0;
        image->sizeimage = 0;
    }
    if (request(camera, VIDIOC_S_FMT, &set) != 0) {
        return fail(camera, "the camera refuses %s: %s", format->larodName,
                    errno == EBUSY ? "another program captures with it" : strerror(errno));
    }
    /* Drivers change what they don't like, with success. */
    if (isMultiPlanar(camera)) {
        const struct v4l2_pix_format_mplane* const image = &set.fmt.pix_mp;
        fourcc = image->num_planes == 1 ? image->pixelformat : 0;
        camera->width = image->width;
        camera->height = image->height;
        camera->rowPitch = image->plane_fmt[0].bytesperline;
        camera->colorimetry = colorimetryName(image->colorspace, image->ycbcr_enc, image->quantization);
    } else {
        const struct v4l2_pix_format* const image = &set.fmt.pix;
        fourcc = image->pixelformat;
        camera->width = image->width;
        camera->height = image->height;
        camera->rowPitch = image->bytesperline;
        camera->colorimetry = colorimetryName(image->colorspace, image->ycbcr_enc, image->quantization);
    }
    if (fourcc != format->fourcc) {
        return fail(camera, "the camera has %s, but not of this size in one buffer", format->larodName);
    }
    camera->format = format;
    return true;
}

/* ---- Buffers ---- */

static bool allocate(struct camera* camera, unsigned count) {
    struct v4l2_requestbuffers ask;
    memset(&ask, 0, sizeof(ask));
    ask.count = count < CAMERA_MAX_BUFFERS ? count : CAMERA_MAX_BUFFERS;
    ask.type = camera->type;
    ask.memory = V4L2_MEMORY_MMAP;
    if (request(camera, VIDIOC_REQBUFS, &ask) != 0) {
        return fail(camera, "the camera can't allocate its buffers: %s", strerror(errno));
    }
    if (ask.count == 0 || ask.count > CAMERA_MAX_BUFFERS) {
        return fail(camera, "%u buffers were asked for, the camera made %u", count, ask.count);
    }
    for (unsigned i = 0; i < ask.count; ++i) {
        struct v4l2_plane plane;
        struct v4l2_buffer buffer = describe(camera, i, &plane);
        struct v4l2_exportbuffer exported;
        memset(&exported, 0, sizeof(exported));
        exported.type = camera->type;
        exported.index = i;
        exported.flags = O_CLOEXEC | O_RDONLY; /* frames are read only */
        if (request(camera, VIDIOC_QUERYBUF, &buffer) != 0 || request(camera, VIDIOC_EXPBUF, &exported) != 0) {
            return fail(camera, "the camera can't export its buffers as dma-bufs: %s", strerror(errno));
        }
        camera->sizes[i] = isMultiPlanar(camera) ? plane.length : buffer.length;
        camera->dmaBufs[i] = exported.fd;
        camera->numBuffers = i + 1;
    }
    return true;
}

bool cameraStart(struct camera* camera, unsigned count) {
    int type = (int)camera->type;
    if (!allocate(camera, count)) {
        return false;
    }
    for (unsigned i = 0; i < camera->numBuffers; ++i) {
        if (!cameraGiveBack(camera, i)) {
            return false;
        }
    }
    camera->streams = request(camera, VIDIOC_STREAMON, &type) == 0;
    return camera->streams ? true : fail(camera, "the camera does not start: %s", strerror(errno));
}

/* A camera that was stopped or unplugged neither gives frames nor takes buffers. */
static bool failToCapture(struct camera* camera) {
    return fail(camera, "the camera captures no frames: %s%s", strerror(errno),
                errno == ENODEV ? ": was it unplugged?" : "");
}

bool cameraTakeNewest(struct camera* camera, struct cameraFrame* frame, bool* got) {
    *got = false;
    for (;;) {
        struct v4l2_plane plane;
        struct v4l2_buffer buffer = describe(camera, 0, &plane);
        if (request(camera, VIDIOC_DQBUF, &buffer) != 0) {
            if (errno == EAGAIN) {
                return true;
            }
            return failToCapture(camera);
        }
        if (buffer.flags & V4L2_BUF_FLAG_ERROR) { /* a broken frame: the next one may be good */
            if (!cameraGiveBack(camera, buffer.index)) {
                return false;
            }
            continue;
        }
        if (isMultiPlanar(camera) && plane.data_offset != 0) {
            return fail(camera, "the image begins at byte %u of the buffer, expected 0", plane.data_offset);
        }
        if (*got && !cameraGiveBack(camera, frame->buffer)) {
            return false;
        }
        frame->buffer = buffer.index;
        frame->sequence = buffer.sequence;
        *got = true;
    }
}

bool cameraGiveBack(struct camera* camera, unsigned index) {
    struct v4l2_plane plane;
    struct v4l2_buffer buffer = describe(camera, index, &plane);
    return request(camera, VIDIOC_QBUF, &buffer) == 0 ? true : failToCapture(camera);
}

/* ---- Opening and closing ---- */

bool cameraOpen(struct camera* camera, const char* path) {
    struct v4l2_capability capability;
    uint32_t can = 0;
    memset(camera, 0, sizeof(*camera));
    memset(&capability, 0, sizeof(capability));
    camera->fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (camera->fd < 0) {
        return fail(camera, "can't open the camera: %s", strerror(errno));
    }
    if (request(camera, VIDIOC_QUERYCAP, &capability) != 0) {
        return fail(camera, "expected a V4L2 camera, such as /dev/video0: %s", strerror(errno));
    }
    can = capability.capabilities & V4L2_CAP_DEVICE_CAPS ? capability.device_caps : capability.capabilities;
    if (!(can & V4L2_CAP_STREAMING) || !(can & (V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_VIDEO_CAPTURE_MPLANE))) {
        return fail(camera, "expected a V4L2 camera that streams: %.31s can't (capabilities 0x%x)",
                    (const char*)capability.card, can);
    }
    camera->type = can & V4L2_CAP_VIDEO_CAPTURE ? V4L2_BUF_TYPE_VIDEO_CAPTURE : V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE;
    return findFormats(camera);
}

void cameraClose(struct camera* camera) {
    int type = (int)camera->type;
    if (camera->streams) {
        request(camera, VIDIOC_STREAMOFF, &type);
    }
    for (unsigned i = 0; i < camera->numBuffers; ++i) {
        close(camera->dmaBufs[i]);
    }
    if (camera->fd >= 0) {
        close(camera->fd); /* frees the buffers that nobody else holds */
    }
}
