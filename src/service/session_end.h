// SPDX-License-Identifier: Apache-2.0
// What a session did when it ended, as far as its page and the arbiter's tables tell.
#pragma once

#include "service/crash_note.h"
#include "service/model_table.h"
#include "service/session_record.h"
#include "session/control_messages.h"

namespace larod::service {

[[nodiscard]] SessionEnd describeEnd(const SessionRecord& session, int waitStatus,
                                     const session::control::DeviceTable& table, const ModelTable& models);

}  // namespace larod::service
