// SPDX-License-Identifier: Apache-2.0
// Counts what operator new is asked for. The replaced operators stand in a file of their own, where the compiler can't
// inline one without its counterpart.
#pragma once

#include <cstddef>

namespace larod::wire::test {

// From now on this thread's allocations are counted from 0, or no longer counted.
void startCounting() noexcept;
[[nodiscard]] size_t stopCounting() noexcept;

// Bytes that `function` allocates, freed ones included.
template <typename Function>
size_t allocatedBy(Function&& function) {
    startCounting();
    function();
    return stopCounting();
}

}  // namespace larod::wire::test
