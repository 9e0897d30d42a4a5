// SPDX-License-Identifier: Apache-2.0
// A scope in which the CPU may touch a dma-buf.
#pragma once

#include <cstdint>

namespace larod::buffer {

enum class CpuAccess : uint8_t { Read, Write };

// START in the constructor, END in end() or, on an error path, in the destructor (dma-buf.md 4.2). EINTR is repeated
// without limit, EAGAIN some hundred times (dma-buf.md 3.1).
class DmaBufSync {
  public:
    enum class Begun : uint8_t { Yes, NotADmaBuf };

    DmaBufSync() noexcept = default;
    DmaBufSync(DmaBufSync&& other) noexcept;
    DmaBufSync& operator=(DmaBufSync&& other) noexcept;  // ends what is open
    DmaBufSync(const DmaBufSync&) = delete;
    DmaBufSync& operator=(const DmaBufSync&) = delete;
    ~DmaBufSync();

    // Opens the scope; it must not be open. `fd` stays open until end(). NotADmaBuf where the kernel answers ENOTTY:
    // the DMABUF flag was a wrong promise, and there is nothing to end. Throws Error(LAROD_ERROR_FD).
    [[nodiscard]] Begun begin(int fd, CpuAccess access);

    // Closes the scope; nothing where none is open. Throws Error(LAROD_ERROR_JOB); it is closed all the same.
    void end();

  private:
    int fd_ = -1;  // borrowed; -1: not open
    uint64_t direction_ = 0;
};

}  // namespace larod::buffer
