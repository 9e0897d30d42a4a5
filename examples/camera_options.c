/* SPDX-License-Identifier: Apache-2.0 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "camera_options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void usage(FILE* stream) {
    fprintf(
        stream,
        "usage: camera --model FILE [options]\n"
        "Runs a network on the frames of a camera with the larod service that LAROD_SOCKET names.\n"
        "  --model FILE    a .tflite with one input, an RGB image\n"
        "  --camera NODE   Default: /dev/video0\n"
        "  --size WxH      of the camera's images. Default: as it is set\n"
        "  --frames N      ends after so many. Default: ends with Ctrl-C\n"
        "  --proc DEVICE   for preprocessing. Default: cpu-proc\n"
        "  --net DEVICE    for the network. Default: cpu-tflite\n"
        "  --mean M        a network that takes float32 or int8 gets (pixel - mean) / scale: a number, or three for\n"
        "  --scale S       R, G, B (123.7,116.3,103.5). Default: 127.5 and 127.5 for float32, 128 and 1 for int8\n");
}

static bool failed(const char* option, const char* expected, const char* got) {
    fprintf(stderr, "camera: %s: expected %s, got '%s'\n", option, expected, got);
    return false;
}

static bool parseNumber(const char* text, const char** end, unsigned long* number) {
    char* after = NULL;
    *number = strtoul(text, &after, 10);
    *end = after;
    return *text >= '0' && *text <= '9' && *number > 0 && *number <= 1000000000;
}

static bool parseSize(const char* text, struct cameraOptions* options) {
    unsigned long width = 0;
    unsigned long height = 0;
    const char* end = NULL;
    if (!parseNumber(text, &end, &width) || *end != 'x' || !parseNumber(end + 1, &end, &height) || *end != '\0') {
        return failed("--size", "width and height, such as 640x480", text);
    }
    options->width = (unsigned)width;
    options->height = (unsigned)height;
    return true;
}

static bool parseFrames(const char* text, struct cameraOptions* options) {
    const char* end = NULL;
    return parseNumber(text, &end, &options->frames) && *end == '\0' ? true
                                                                     : failed("--frames", "a number above 0", text);
}

bool parseCameraOptions(struct cameraOptions* options, int argc, char** argv) {
    static const struct option kOptions[] = {{"model", required_argument, NULL, 'm'},
                                             {"camera", required_argument, NULL, 'c'},
                                             {"size", required_argument, NULL, 's'},
                                             {"frames", required_argument, NULL, 'f'},
                                             {"proc", required_argument, NULL, 'p'},
                                             {"net", required_argument, NULL, 'n'},
                                             {"mean", required_argument, NULL, 'M'},
                                             {"scale", required_argument, NULL, 'S'},
                                             {"format", required_argument, NULL, 'F'},
                                             {"help", no_argument, NULL, 'h'},
                                             {NULL, 0, NULL, 0}};
    int option = 0;
    memset(options, 0, sizeof(*options));
    options->camera = "/dev/video0";
    options->preprocessing = "cpu-proc";
    options->network = "cpu-tflite";
    while ((option = getopt_long(argc, argv, "", kOptions, NULL)) != -1) {
        bool good = true;
        switch (option) {
            case 'm':
                options->model = optarg;
                break;
            case 'c':
                options->camera = optarg;
                break;
            case 's':
                good = parseSize(optarg, options);
                break;
            case 'f':
                good = parseFrames(optarg, options);
                break;
            case 'p':
                options->preprocessing = optarg;
                break;
            case 'n':
                options->network = optarg;
                break;
            case 'F':
                options->format = optarg;
                break;
            case 'M':
                options->mean = optarg;
                break;
            case 'S':
                options->scale = optarg;
                break;
            case 'h':
                usage(stdout);
                exit(0);
            default:
                usage(stderr);
                good = false;
                break;
        }
        if (!good) {
            return false;
        }
    }
    if (optind < argc) {
        return failed("command line", "options only", argv[optind]);
    }
    return options->model ? true : failed("--model", "a file", "none");
}
