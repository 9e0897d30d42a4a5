// SPDX-License-Identifier: Apache-2.0
#include "unit/wire/allocation_count.h"

#include <cstdlib>
#include <new>

namespace {

thread_local bool counting = false;
thread_local size_t allocatedBytes = 0;

}  // namespace

// A sanitizer sees the blocks through malloc as before.
void* operator new(size_t size) {
    if (counting) {
        allocatedBytes += size;
    }
    void* block = std::malloc(size == 0 ? 1 : size);
    if (block == nullptr) {
        throw std::bad_alloc();
    }
    return block;
}

void operator delete(void* block) noexcept {
    std::free(block);
}

void operator delete(void* block, size_t /*size*/) noexcept {
    std::free(block);
}

namespace larod::wire::test {

void startCounting() noexcept {
    allocatedBytes = 0;
    counting = true;
}

size_t stopCounting() noexcept {
    counting = false;
    return allocatedBytes;
}

}  // namespace larod::wire::test
