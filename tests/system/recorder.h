/* SPDX-License-Identifier: Apache-2.0 */
/* What the service asked of the kernel, as a preloaded library writes it down: a file that both sides map. */
#ifndef OPENLAROD_TESTS_SYSTEM_RECORDER_H
#define OPENLAROD_TESTS_SYSTEM_RECORDER_H

#include <stdint.h>

enum { RECORDED_SYNC = 1, RECORDED_MAP = 2 };

struct recorded_call {
    uint32_t what;
    int32_t pid;
    uint64_t flags;  /* of DMA_BUF_IOCTL_SYNC */
    uint64_t device; /* of the fd's file, as stat(2) says */
    uint64_t inode;
    int32_t is_dma_buf;
    int32_t error; /* errno, 0 for success */
};

enum { RECORDING_CAPACITY = 100000 };

struct recording {
    uint32_t count; /* taken by atomic increments */
    uint32_t reserved;
    struct recorded_call calls[RECORDING_CAPACITY];
};

#endif
