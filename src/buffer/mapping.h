// SPDX-License-Identifier: Apache-2.0
// A window of a file, memfd or dma-buf in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace larod::buffer {

enum class MapAccess : uint8_t {
    Read,
    ReadWrite,
    ReadPrivate,  // for reading; a shared mapping, even one for reading, keeps the kernel from sealing a file
};

// Maps [offset, offset + length) of `fd`. The offset may be any. Behind the window at least a page is readable
// (anonymous memory where the file ends), so that kernels which read past an input don't fault (litert.md 4).
//
// A file that is cut off under the mapping does not kill the process: the fault is caught (SigbusGuard), the whole
// mapping becomes anonymous memory, and broken() tells.
//
// Thread: bytes() and broken() from any; made and destroyed once.
class Mapping {
  public:
    // Throws Error(LAROD_ERROR_FD) where the kernel refuses; length > 0.
    Mapping(int fd, uint64_t offset, size_t length, MapAccess access);
    ~Mapping();
    Mapping(const Mapping&) = delete;
    Mapping& operator=(const Mapping&) = delete;

    // The window. Only with MapAccess::ReadWrite may the memory be written.
    [[nodiscard]] std::span<std::byte> bytes() const noexcept { return bytes_; }

    // Whether the file was cut off under it. Once true it stays so; map again.
    [[nodiscard]] bool broken() const noexcept;

  private:
    std::byte* reserved_ = nullptr;
    size_t reservedLength_ = 0;
    std::span<std::byte> bytes_;
    size_t guardSlot_ = 0;
};

}  // namespace larod::buffer
