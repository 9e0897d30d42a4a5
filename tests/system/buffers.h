// SPDX-License-Identifier: Apache-2.0
// Real buffers of a kernel that has them, and what else the tests ask of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/unique_fd.h"

namespace larod::test {

// Who made a buffer.
enum class Exporter : uint8_t {
    MemoryFile,  // no dma-buf: what results are compared with
    Udmabuf,
    Heap,   // the system heap
    Vgem,   // a GPU of the kernel's own, for tests
    Vivid,  // a camera of the kernel's own
};
[[nodiscard]] const char* name(Exporter exporter);

// A buffer of at least so many bytes; the test fails where there is none. Throws std::runtime_error that names the node
// and the reason.
[[nodiscard]] UniqueFd makeBuffer(Exporter exporter, size_t bytes);

// A converter of the kernel's own, for tests: the node of that driver. Throws where it is not there.
[[nodiscard]] std::string videoNode(const std::string& driver);

// The CPU's own access, bracketed as dma-buf.md 3 wants it; files need no bracket.
void writeBuffer(int fd, size_t offset, std::span<const uint8_t> data);
[[nodiscard]] std::vector<uint8_t> readBuffer(int fd, size_t offset, size_t bytes);

// Bytes of all dma-bufs that the kernel has.
[[nodiscard]] uint64_t dmaBufBytes();

// A fence that the test signals; the kernel does it by itself after ten seconds.
class Fence {
  public:
    enum class Use : uint8_t { Write, Read };
    Fence();
    ~Fence();
    Fence(const Fence&) = delete;
    Fence& operator=(const Fence&) = delete;

    // Somebody's hardware uses the buffer, until signal().
    void putOn(int dmaBuf, Use use);
    void signal();

  private:
    struct Card;
    std::unique_ptr<Card> card_;
};

}  // namespace larod::test
