/* SPDX-License-Identifier: Apache-2.0 */
/* The CPU's access to tensors: map a tensor once, and bracket each access as dma-bufs need it. For C (C99) and C++
 * (C++11). */
#ifndef OPENLAROD_LAROD_DMA_BUF_H
#define OPENLAROD_LAROD_DMA_BUF_H

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/dma-buf.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "larod.h"

/* ------------------------------------------------------------------------------------------------------------------
 * What this is for
 *
 * The memory of a dma-buf is shared with hardware that may not see the CPU's cache. So whoever touches it with the CPU
 * says so before and after, whoever does not says nothing: a camera's frame that goes into a job, or an output that is
 * the next job's input, needs nothing from the application. With the CPU:
 *
 *     larodDmaBufMapping in, out;
 *     larodDmaBufError why;
 *     bool good = larodDmaBufMap(input, LAROD_DMA_BUF_WRITE, &in, &why)       // once
 *         && larodDmaBufMap(output, LAROD_DMA_BUF_READ, &out, &why);
 *
 *     good = larodDmaBufBegin(&in, LAROD_DMA_BUF_WRITE, &why);                // for each job
 *     ... write in.data ...
 *     good = larodDmaBufEnd(&in, &why);
 *     good = larodRunJob(conn, job, &error);
 *     good = larodDmaBufBegin(&out, LAROD_DMA_BUF_READ, &why);
 *     ... read out.data ...
 *     good = larodDmaBufEnd(&out, &why);
 *
 * No access may be open while a job uses the buffer. Tensors without LAROD_FD_PROP_DMABUF (files, memory files) need no
 * bracket: for them begin and end do nothing, so one program serves both kinds.
 *
 * All functions are inline: they need no other version of the library than larod.h does. Each reports as larod.h's do,
 * with false, and in *error, where `error` is not NULL. That is the caller's own object: it need not be initialised,
 * and there is nothing to release. Output parameters are written on success only. A mapping is used by one thread at a
 * time.
 * ------------------------------------------------------------------------------------------------------------------ */

/* What the CPU does with the data. Writing a part and leaving the rest as it is, is READ_WRITE. */
typedef enum { LAROD_DMA_BUF_READ = 1, LAROD_DMA_BUF_WRITE = 2, LAROD_DMA_BUF_READ_WRITE = 3 } larodDmaBufAccess;

/* Why a call failed. */
typedef struct {
    int code; /* a larodErrorCode or a positive errno, as in larodError */
    char msg[512];
} larodDmaBufError;

/* A tensor in memory. It does not depend on the tensor: that may be destroyed, and its fd closed, before the mapping.
 */
typedef struct {
    uint8_t* data; /* the tensor's first byte; aligned as its fd offset is */
    size_t size;   /* bytes of the tensor */
    bool isDmaBuf; /* whether accesses are bracketed; known for sure after the first one */

    /* For the functions below only. */
    void* mappedData;
    size_t mappedSize;
    int fd; /* a duplicate of the tensor's, for the brackets; -1 where none are needed */
    bool writable;
    int openAccess; /* larodDmaBufAccess; 0: none */
} larodDmaBufMapping;

/* What follows up to larodDmaBufMap is not part of the interface. */
#ifdef __cplusplus
#define LAROD_DMA_BUF_CAST_(type, value) static_cast<type>(value)
#else
#define LAROD_DMA_BUF_CAST_(type, value) ((type)(value))
#endif
/* How often EAGAIN is answered by another try. */
#define LAROD_DMA_BUF_MAX_AGAIN_ 500
/* F_DUPFD_CLOEXEC, which <fcntl.h> hides from strict C99. */
#define LAROD_DMA_BUF_DUPFD_CLOEXEC_ 1030

__attribute__((format(printf, 3, 4))) static inline bool larodDmaBufFail_(larodDmaBufError* error, int code,
                                                                          const char* format, ...) {
    if (error) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(error->msg, sizeof(error->msg), format, arguments);
        va_end(arguments);
        error->code = code;
    }
    return false;
}

/* What a function of larod.h reported, which it releases. */
static inline bool larodDmaBufPassOn_(larodDmaBufError* error, larodError** reported) {
    larodDmaBufFail_(error, *reported ? LAROD_DMA_BUF_CAST_(int, (*reported)->code) : EINVAL, "%s",
                     *reported ? (*reported)->msg : "no reason given");
    larodClearError(reported);
    return false;
}

/* 0, or the errno that is final. */
static inline int larodDmaBufSync_(int fd, int flags) {
    struct dma_buf_sync argument;
    int again = 0;
    argument.flags = LAROD_DMA_BUF_CAST_(__u64, flags);
    while (ioctl(fd, DMA_BUF_IOCTL_SYNC, &argument) != 0) {
        if (errno == EINTR) {
            continue;
        }
        if (errno != EAGAIN || ++again == LAROD_DMA_BUF_MAX_AGAIN_) {
            return errno;
        }
        sched_yield();
    }
    return 0;
}

/* The bytes that `fd` has. Where a file's position stands is another one's matter, so a file is not asked by lseek, as
 * a dma-buf must be. */
static inline bool larodDmaBufLength_(int fd, const char* name, uint64_t* length, larodDmaBufError* error) {
    struct stat status;
    off_t end;
    if (fstat(fd, &status) != 0) {
        return larodDmaBufFail_(error, LAROD_ERROR_FD, "tensor %s: its fd %d can't be used: %s", name, fd,
                                strerror(errno));
    }
    end = S_ISREG(status.st_mode) ? status.st_size : lseek(fd, 0, SEEK_END);
    if (end < 0) {
        return larodDmaBufFail_(error, LAROD_ERROR_FD, "tensor %s: its fd %d is neither a file nor a dma-buf: %s", name,
                                fd, strerror(errno));
    }
    *length = LAROD_DMA_BUF_CAST_(uint64_t, end);
    return true;
}

/* The bytes to map at the tensor's fd offset. */
static inline bool larodDmaBufSize_(const larodTensor* tensor, const char* name, size_t* size,
                                    larodDmaBufError* error) {
    larodError* reported = NULL;
    size_t byteSize = 0;
    size_t fdSize = 0;
    if (!larodGetTensorByteSize(tensor, &byteSize, &reported) || !larodGetTensorFdSize(tensor, &fdSize, &reported)) {
        return larodDmaBufPassOn_(error, &reported);
    }
    if (byteSize == 0 && fdSize == 0) {
        return larodDmaBufFail_(error, EINVAL,
                                "tensor %s: its size is not known: set its data type and dims, its pitches, or its fd "
                                "size",
                                name);
    }
    if (fdSize != 0 && byteSize > fdSize) {
        return larodDmaBufFail_(
            error, LAROD_ERROR_FD,
            "tensor %s: its %zu bytes are more than its fd size of %zu: set the right fd size, or 0 "
            "for no limit",
            name, byteSize, fdSize);
    }
    *size = byteSize != 0 ? byteSize : fdSize;
    return true;
}

/* Maps the tensor's buffer, with the whole tensor or nothing. To be done once, not for each job; undone by
 * larodDmaBufUnmap.
 *
 * `tensor`   has an fd with LAROD_FD_PROP_MAP. The fd offset may be any. Size, offset and props are read now; later
 *            changes are not seen. Without a byte size (larodGetTensorByteSize) the fd size is what is mapped.
 * `access`   what the mapping is for. LAROD_DMA_BUF_READ: an fd that was opened for reading will do, and writing to the
 *            data is a fault (SIGSEGV). Otherwise the data may be read and written.
 * `mapping`  gets the result.
 *
 * Neither data nor file position are touched. The buffer lives as long as the mapping does. It may stay mapped while
 * jobs run. A file that someone makes shorter afterwards raises SIGBUS where it is missing; a dma-buf has a fixed size.
 *
 * Errors: EINVAL (a parameter; no size), LAROD_ERROR_FD (no fd; LAROD_FD_PROP_MAP is missing; the tensor does not fit
 * into the fd size or the buffer; the kernel refuses), EMFILE (too many open descriptors). */
static inline bool larodDmaBufMap(const larodTensor* tensor, larodDmaBufAccess access, larodDmaBufMapping* mapping,
                                  larodDmaBufError* error) {
    larodDmaBufMapping made;
    larodError* reported = NULL;
    const char* name = NULL;
    uint32_t props = 0;
    int64_t offset = 0;
    uint64_t length = 0;
    size_t lead = 0;
    int fd = -1;
    if (!mapping || access < LAROD_DMA_BUF_READ || access > LAROD_DMA_BUF_READ_WRITE) {
        return larodDmaBufFail_(
            error, EINVAL, "%s",
            mapping ? "the access is none of LAROD_DMA_BUF_READ, _WRITE and _READ_WRITE" : "the mapping is NULL");
    }
    name = larodGetTensorName(tensor, &reported);
    if (!name || !larodGetTensorFdProps(tensor, &props, &reported)) {
        return larodDmaBufPassOn_(error, &reported);
    }
    name = *name ? name : "(unnamed)";
    fd = larodGetTensorFd(tensor, NULL);
    if (fd < 0) {
        return larodDmaBufFail_(error, LAROD_ERROR_FD,
                                "tensor %s has no fd: set one with larodSetTensorFd, or have the service allocate it",
                                name);
    }
    if (!(props & LAROD_FD_PROP_MAP)) {
        return larodDmaBufFail_(error, LAROD_ERROR_FD,
                                "tensor %s: its fd can't be mapped, say its props (0x%" PRIx32
                                "): if it can, set LAROD_FD_PROP_MAP too, else use pread() and pwrite()",
                                name, props);
    }
    if (!larodDmaBufSize_(tensor, name, &made.size, error) || !larodDmaBufLength_(fd, name, &length, error)) {
        return false;
    }
    offset = larodGetTensorFdOffset(tensor, NULL);
    if (LAROD_DMA_BUF_CAST_(uint64_t, offset) > length || made.size > length - LAROD_DMA_BUF_CAST_(uint64_t, offset)) {
        return larodDmaBufFail_(error, LAROD_ERROR_FD,
                                "tensor %s: %zu bytes at fd offset %" PRId64
                                " were expected, but the buffer at fd %d has "
                                "%" PRIu64 " bytes in all: give it a larger one, or another offset",
                                name, made.size, offset, fd, length);
    }
    /* Files are mapped from a page on. Of dma-bufs some exporters map the beginning, whatever place was asked for
     * (vb2's and GEM's shmem do), so all are mapped from there. Both fit: the end of the tensor is inside the buffer.
     */
    lead = LAROD_DMA_BUF_CAST_(size_t, (props & LAROD_FD_PROP_DMABUF) != 0 ? offset : offset % sysconf(_SC_PAGESIZE));
    made.writable = access != LAROD_DMA_BUF_READ;
    made.mappedSize = made.size + lead;
    made.mappedData = MAP_FAILED;
    errno = ENOMEM;
    if (made.mappedSize > made.size || lead == 0) { /* else more than the address space has */
        made.mappedData = mmap(NULL, made.mappedSize, made.writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED,
                               fd, LAROD_DMA_BUF_CAST_(off_t, offset - LAROD_DMA_BUF_CAST_(int64_t, lead)));
    }
    if (made.mappedData == MAP_FAILED) {
        return larodDmaBufFail_(
            error, LAROD_ERROR_FD, "tensor %s: %zu bytes of fd %d can't be mapped %s: %s%s", name, made.size, fd,
            made.writable ? "for writing" : "for reading", strerror(errno),
            errno == EACCES ? ": open the file so that it allows that, or map with another access" : "");
    }
    made.data = LAROD_DMA_BUF_CAST_(uint8_t*, made.mappedData) + lead;
    made.isDmaBuf = (props & LAROD_FD_PROP_DMABUF) != 0;
    made.fd = -1;
    made.openAccess = 0;
    if (made.isDmaBuf) {
        /* Our own: the application may close the tensor's, and its number may then be another file's. */
        made.fd = fcntl(fd, LAROD_DMA_BUF_DUPFD_CLOEXEC_, 0);
        if (made.fd < 0) {
            const int reason = errno;
            munmap(made.mappedData, made.mappedSize);
            return larodDmaBufFail_(error, reason, "tensor %s: its fd %d can't be duplicated: %s", name, fd,
                                    strerror(reason));
        }
    }
    *mapping = made;
    return true;
}

/* Begins the CPU's access to the data, which lasts until larodDmaBufEnd; one at a time. Waits for hardware that still
 * writes the buffer, or, before writing, reads it, where the kernel knows of that (a fence of the buffer), as long as
 * that takes. Signals don't end the wait.
 *
 * `access`  what is done with the data until the end. Anything else is not to be done.
 *
 * A tensor whose fd turns out to be no dma-buf, whatever its props say, needs no bracket, and that is no error: the
 * service treats it so, too.
 *
 * Errors: EINVAL (a parameter; not mapped), EBUSY (begun already), EACCES (writing, but mapped for reading),
 * LAROD_ERROR_FD (the kernel refuses). The data is not to be touched then. */
static inline bool larodDmaBufBegin(larodDmaBufMapping* mapping, larodDmaBufAccess access, larodDmaBufError* error) {
    int result = 0;
    if (!mapping || !mapping->mappedData || access < LAROD_DMA_BUF_READ || access > LAROD_DMA_BUF_READ_WRITE) {
        return larodDmaBufFail_(error, EINVAL, "%s",
                                mapping && mapping->mappedData
                                    ? "the access is none of LAROD_DMA_BUF_READ, _WRITE and _READ_WRITE"
                                    : "the tensor is not mapped: larodDmaBufMap comes first");
    }
    if (mapping->openAccess != 0) {
        return larodDmaBufFail_(error, EBUSY, "CPU access has begun already: larodDmaBufEnd comes before the next one");
    }
    if (access != LAROD_DMA_BUF_READ && !mapping->writable) {
        return larodDmaBufFail_(error, EACCES,
                                "the tensor is mapped for reading only: to write it, map it with LAROD_DMA_BUF_WRITE");
    }
    if (mapping->isDmaBuf) {
        result = larodDmaBufSync_(mapping->fd, DMA_BUF_SYNC_START | LAROD_DMA_BUF_CAST_(int, access));
        if (result == ENOTTY) {
            mapping->isDmaBuf = false;
        } else if (result != 0) {
            return larodDmaBufFail_(error, LAROD_ERROR_FD, "CPU access to the dma-buf can't begin: %s",
                                    strerror(result));
        }
    }
    mapping->openAccess = LAROD_DMA_BUF_CAST_(int, access);
    return true;
}

/* Ends the access that larodDmaBufBegin began; what was written is then seen by the hardware. On failure it has ended,
 * too, but what was written may not have reached the buffer: don't start a job with it.
 * Errors: EINVAL (none has begun), LAROD_ERROR_FD (the kernel refuses). */
static inline bool larodDmaBufEnd(larodDmaBufMapping* mapping, larodDmaBufError* error) {
    int flags = DMA_BUF_SYNC_END;
    int result = 0;
    if (!mapping || mapping->openAccess == 0) {
        return larodDmaBufFail_(error, EINVAL, "no CPU access has begun: larodDmaBufBegin comes first");
    }
    flags |= mapping->openAccess;
    mapping->openAccess = 0;
    if (mapping->isDmaBuf) {
        result = larodDmaBufSync_(mapping->fd, flags);
        if (result != 0) {
            return larodDmaBufFail_(error, LAROD_ERROR_FD, "CPU access to the dma-buf can't end: %s", strerror(result));
        }
    }
    return true;
}

/* Copies `size` bytes, which must be the tensor's size, into the tensor, bracketed: larodDmaBufBegin, copy,
 * larodDmaBufEnd. Errors: as theirs; EINVAL (another size; nothing is copied then). */
static inline bool larodDmaBufWrite(larodDmaBufMapping* mapping, const void* data, size_t size,
                                    larodDmaBufError* error) {
    if (mapping && mapping->mappedData && size != mapping->size) {
        return larodDmaBufFail_(error, EINVAL, "%zu bytes are to be written, but the tensor has %zu", size,
                                mapping->size);
    }
    if (!larodDmaBufBegin(mapping, LAROD_DMA_BUF_WRITE, error)) {
        return false;
    }
    memcpy(mapping->data, data, size);
    return larodDmaBufEnd(mapping, error);
}

/* As larodDmaBufWrite, from the tensor to `data`. */
static inline bool larodDmaBufRead(larodDmaBufMapping* mapping, void* data, size_t size, larodDmaBufError* error) {
    if (mapping && mapping->mappedData && size != mapping->size) {
        return larodDmaBufFail_(error, EINVAL, "%zu bytes are to be read, but the tensor has %zu", size, mapping->size);
    }
    if (!larodDmaBufBegin(mapping, LAROD_DMA_BUF_READ, error)) {
        return false;
    }
    memcpy(data, mapping->data, size);
    return larodDmaBufEnd(mapping, error);
}

/* Undoes larodDmaBufMap; an access that is still open is ended first. Nothing happens when `mapping` is NULL, is all
 * zeros (= {0}), or is unmapped already. */
static inline void larodDmaBufUnmap(larodDmaBufMapping* mapping) {
    if (!mapping || !mapping->mappedData) {
        return;
    }
    if (mapping->openAccess != 0) {
        larodDmaBufEnd(mapping, NULL);
    }
    munmap(mapping->mappedData, mapping->mappedSize);
    if (mapping->fd >= 0) {
        close(mapping->fd);
    }
    memset(mapping, 0, sizeof(*mapping));
}

#undef LAROD_DMA_BUF_CAST_
#undef LAROD_DMA_BUF_MAX_AGAIN_
#undef LAROD_DMA_BUF_DUPFD_CLOEXEC_

/* The same for C++, where a scope is the permission to touch the data. Failures are exceptions, so a program that is
 * compiled without them uses the functions above.
 *
 *     larod::DmaBufMapping input(tensor, LAROD_DMA_BUF_WRITE);  // once
 *     {
 *         larod::DmaBufScope scope(input, LAROD_DMA_BUF_WRITE);
 *         std::copy(..., scope.data());
 *         scope.end();
 *     } */
#if defined(__cplusplus) && defined(__cpp_exceptions)

#include <memory>
#include <stdexcept>

namespace larod {

/* What a larodDmaBufError says. */
class DmaBufException : public std::runtime_error {
  public:
    explicit DmaBufException(const larodDmaBufError& error) : std::runtime_error(error.msg), code_(error.code) {}
    int code() const noexcept { return code_; }

  private:
    int code_;
};

/* A tensor in memory: larodDmaBufMap in the constructor, larodDmaBufUnmap in the destructor. One that was moved from
 * may only be destroyed or assigned to. Scopes of a mapping end before it does; it may be moved while they are open. */
class DmaBufMapping {
  public:
    explicit DmaBufMapping(const larodTensor* tensor, larodDmaBufAccess access = LAROD_DMA_BUF_READ_WRITE)
        : mapping_(new larodDmaBufMapping()) {
        larodDmaBufError error;
        if (!larodDmaBufMap(tensor, access, mapping_.get(), &error)) {
            throw DmaBufException(error);
        }
    }

    size_t size() const noexcept { return mapping_->size; }
    bool isDmaBuf() const noexcept { return mapping_->isDmaBuf; }
    /* For the functions above. */
    larodDmaBufMapping* get() const noexcept { return mapping_.get(); }

  private:
    struct Unmap {
        void operator()(larodDmaBufMapping* mapping) const noexcept {
            larodDmaBufUnmap(mapping);
            delete mapping;
        }
    };
    std::unique_ptr<larodDmaBufMapping, Unmap> mapping_;
};

/* The time in which the CPU may touch the data: larodDmaBufBegin in the constructor, larodDmaBufEnd in end(), or in the
 * destructor, which can't tell a failure. So a scope that writes calls end() before it starts a job. */
class DmaBufScope {
  public:
    DmaBufScope(DmaBufMapping& mapping, larodDmaBufAccess access) : mapping_(mapping.get()) {
        larodDmaBufError error;
        if (!larodDmaBufBegin(mapping_, access, &error)) {
            throw DmaBufException(error);
        }
    }
    ~DmaBufScope() {
        if (mapping_ != nullptr) {
            larodDmaBufEnd(mapping_, nullptr);
        }
    }
    DmaBufScope(const DmaBufScope&) = delete;
    DmaBufScope& operator=(const DmaBufScope&) = delete;

    /* Not after end(). With LAROD_DMA_BUF_READ the data is not to be written. */
    uint8_t* data() const noexcept { return mapping_->data; }
    size_t size() const noexcept { return mapping_->size; }

    /* Throws DmaBufException; the scope has ended all the same. Nothing happens when it has ended already. */
    void end() {
        larodDmaBufError error;
        larodDmaBufMapping* const mapping = mapping_;
        mapping_ = nullptr;
        if (mapping != nullptr && !larodDmaBufEnd(mapping, &error)) {
            throw DmaBufException(error);
        }
    }

  private:
    larodDmaBufMapping* mapping_; /* nullptr: ended */
};

} /* namespace larod */

#endif

#endif /* OPENLAROD_LAROD_DMA_BUF_H */
