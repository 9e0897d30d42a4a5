/* SPDX-License-Identifier: Apache-2.0 */
/* Preloaded into the service: writes down each DMA_BUF_IOCTL_SYNC and each mapping of a file, into the file that
 * LAROD_RECORDING names. It opens nothing after the start, so it works inside the sandbox, too. */
#include "system/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/ioctl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DMA_BUF_FILE_SYSTEM 0x444d4142

static struct recording* recording;

static void* kernel_mmap(void* address, size_t length, int protection, int flags, int fd, off_t offset) {
    return (void*)syscall(SYS_mmap, address, length, protection, flags, fd, offset);
}

__attribute__((constructor)) static void start(void) {
    const char* path = getenv("LAROD_RECORDING");
    const int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd >= 0) {
        void* memory = kernel_mmap(NULL, sizeof(struct recording), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        recording = memory == MAP_FAILED ? NULL : memory;
        close(fd);
    }
}

static void record(uint32_t what, int fd, uint64_t flags, int error) {
    struct stat status = {0};
    struct statfs file_system = {0};
    uint32_t place = 0;
    if (!recording) {
        return;
    }
    place = __atomic_fetch_add(&recording->count, 1, __ATOMIC_SEQ_CST);
    if (place >= RECORDING_CAPACITY) {
        return;
    }
    syscall(SYS_fstat, fd, &status);
    syscall(SYS_fstatfs, fd, &file_system);
    recording->calls[place] =
        (struct recorded_call){what,          (int32_t)getpid(), flags,
                               status.st_dev, status.st_ino,     (uint64_t)file_system.f_type == DMA_BUF_FILE_SYSTEM,
                               error};
}

int ioctl(int fd, unsigned long request, ...) {
    va_list arguments;
    void* argument = NULL;
    int result = 0;
    va_start(arguments, request);
    argument = va_arg(arguments, void*);
    va_end(arguments);
    result = (int)syscall(SYS_ioctl, fd, request, argument);
    if (request == DMA_BUF_IOCTL_SYNC) {
        const int error = result == 0 ? 0 : errno;
        record(RECORDED_SYNC, fd, ((const struct dma_buf_sync*)argument)->flags, error);
        errno = error;
    }
    return result;
}

/* With 64-bit file offsets this defines mmap64, which the service calls. */
void* mmap(void* address, size_t length, int protection, int flags, int fd, off_t offset) {
    void* memory = kernel_mmap(address, length, protection, flags, fd, offset);
    if (fd >= 0) {
        const int error = errno;
        record(RECORDED_MAP, fd, 0, memory == MAP_FAILED ? error : 0);
        errno = error;
    }
    return memory;
}
