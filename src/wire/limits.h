// SPDX-License-Identifier: Apache-2.0
// The limits of the protocol: each has a name, a value and a reason.
#pragma once

#include <cstddef>
#include <cstdint>

namespace larod::wire {

// One datagram. Linux accepts up to net.core.wmem_default (212,992) less its own overhead on an unprivileged socket.
inline constexpr size_t kMaxDatagramBytes = 212'960;

// SCM_MAX_FD: what the kernel passes with one message.
inline constexpr size_t kMaxDatagramFds = 253;

// Tensors of one direction of a model: the fds of both directions fit into one datagram (2 * 120 <= 253), and so do
// their specs (240 * about 480 bytes) (api.md 18).
inline constexpr size_t kMaxTensors = 120;

inline constexpr size_t kMaxTensorNameLength = 255;
inline constexpr size_t kMaxModelNameLength = 4095;
inline constexpr size_t kMaxDeviceNameLength = 255;
inline constexpr size_t kMaxDevices = 64;
inline constexpr size_t kMaxErrorTextLength = 8192;
inline constexpr size_t kMaxNoteLength = 2048;
inline constexpr size_t kMaxModelsPerPage = 1024;    // a page ends sooner where the datagram is full
inline constexpr size_t kMaxSessionsPerPage = 512;   // of a status: all that there can be
inline constexpr size_t kMaxCommandLength = 63;      // of a program; the kernel has 15 characters
inline constexpr size_t kMaxReleasedTensors = 4096;  // in one message; a client with more sends several
inline constexpr size_t kMaxParams = 256;  // entries of a map: 256 * (127 + 127 + ...) stays far below a datagram

// api.md 18.
inline constexpr size_t kMaxTrackedTensors = 32;
inline constexpr size_t kMaxOutstandingRequests = 16'384;
inline constexpr uint8_t kMaxPriority = 100;
inline constexpr uint8_t kDefaultPriority = 50;

}  // namespace larod::wire
