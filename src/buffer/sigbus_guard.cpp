// SPDX-License-Identifier: Apache-2.0
#include "buffer/sigbus_guard.h"

#include <signal.h>
#include <sys/mman.h>

#include <array>
#include <atomic>
#include <cerrno>

#include "base/error.h"

namespace larod::buffer::sigbus_guard {
namespace {

// A signal handler can reach nothing but static storage.
struct Slot {
    std::atomic<uintptr_t> begin{0};  // 0: free; 1: being filled
    std::atomic<size_t> length{0};
    std::atomic<bool> broken{false};
};
std::array<Slot, kSlots> slots;
std::atomic<size_t> firstToTry{0};

// Puts anonymous memory over the mapping that holds `address`; false where none does.
bool replace(uintptr_t address) noexcept {
    for (Slot& slot : slots) {
        const uintptr_t begin = slot.begin.load(std::memory_order_acquire);
        const size_t length = slot.length.load(std::memory_order_acquire);
        // Read again: where another thread took the slot meanwhile, the length is of another mapping.
        const bool consistent = slot.begin.load(std::memory_order_relaxed) == begin;
        if (consistent && begin > 1 && address >= begin && address - begin < length) {
            slot.broken.store(true, std::memory_order_release);
            return ::mmap(reinterpret_cast<void*>(begin), length, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED;
        }
    }
    return false;
}

void handle(int signal, siginfo_t* info, void* /*context*/) {
    const int savedErrno = errno;
    const bool sent = info->si_code <= 0;  // by kill() and the like: it has no address
    if (sent || !replace(reinterpret_cast<uintptr_t>(info->si_addr))) {
        // Not ours: the default action ends the process when the access is repeated on return, or at once.
        ::signal(signal, SIG_DFL);
        if (sent) {
            ::raise(signal);
        }
    }
    errno = savedErrno;
}

}  // namespace

void install() {
    struct sigaction action = {};
    action.sa_sigaction = handle;
    action.sa_flags = SA_SIGINFO | SA_NODEFER;
    ::sigemptyset(&action.sa_mask);
    if (::sigaction(SIGBUS, &action, nullptr) != 0) {
        throw Error(errno, "can't install the SIGBUS handler: {}", errnoText(errno));
    }
}

std::optional<size_t> add(const void* begin, size_t length) noexcept {
    const size_t first = firstToTry.load(std::memory_order_relaxed);
    for (size_t i = 0; i < kSlots; ++i) {
        const size_t index = (first + i) % kSlots;
        Slot& slot = slots[index];
        uintptr_t free = 0;
        if (slot.begin.compare_exchange_strong(free, 1, std::memory_order_relaxed)) {
            slot.length.store(length, std::memory_order_release);
            slot.broken.store(false, std::memory_order_relaxed);
            slot.begin.store(reinterpret_cast<uintptr_t>(begin), std::memory_order_release);
            firstToTry.store(index + 1, std::memory_order_relaxed);
            return index;
        }
    }
    return std::nullopt;
}

bool broken(size_t slot) noexcept {
    return slots[slot].broken.load(std::memory_order_acquire);
}

void remove(size_t slot) noexcept {
    slots[slot].begin.store(0, std::memory_order_release);
    firstToTry.store(slot, std::memory_order_relaxed);
}

}  // namespace larod::buffer::sigbus_guard
