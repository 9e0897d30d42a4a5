// SPDX-License-Identifier: Apache-2.0
// What the service tells an operator of its sessions, models and devices.
#pragma once

#include <cstdint>

#include "service/session_requests.h"
#include "wire/status_messages.h"

namespace larod::service {

// Who may ask: root, and the user that the service runs as. The others' programs and models are none of a client's
// business.
[[nodiscard]] bool mayReadStatus(uint32_t uid) noexcept;

// One page, small enough for a datagram. What sessions say of themselves is cut to what is possible.
[[nodiscard]] wire::Status statusPage(const SharedTables& tables, const wire::GetStatus& request, uint64_t nowNs);

}  // namespace larod::service
