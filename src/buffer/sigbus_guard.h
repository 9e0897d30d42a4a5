// SPDX-License-Identifier: Apache-2.0
// Survives files that shrink under a mapping.
//
// The handler of SIGBUS looks the address up in a table that it reads without locks: one slot per mapping, filled
// before the mapping is used and emptied before it is unmapped (later, its addresses may belong to others). Where it is
// found, anonymous memory is put over the whole mapping (over a single page would leave a mix of file and zeros) and
// the slot is marked. Any other SIGBUS ends the process as usual.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

namespace larod::buffer::sigbus_guard {

// More mappings than a session can have: 32 tracked tensors, those of one running job a device, and models.
inline constexpr size_t kSlots = 4096;

// Installs the handler for the process. Call once, before mappings are used.
void install();

// Takes a slot for [begin, begin + length); nothing where all are taken. Any thread.
[[nodiscard]] std::optional<size_t> add(const void* begin, size_t length) noexcept;

// Whether the handler replaced the mapping.
[[nodiscard]] bool broken(size_t slot) noexcept;

void remove(size_t slot) noexcept;

}  // namespace larod::buffer::sigbus_guard
