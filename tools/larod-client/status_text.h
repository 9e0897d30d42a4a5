// SPDX-License-Identifier: Apache-2.0
// The status of a service as --status prints it: tables for people, JSON for programs. Pure, but for the names of
// users.
#pragma once

#include <string>

#include "wire/status_messages.h"

namespace larod::tools {

[[nodiscard]] std::string statusTables(const wire::Status& status);

// One object, printed with indentation; ASCII only. Its keys are an interface: they are added to, never renamed.
[[nodiscard]] std::string statusJson(const wire::Status& status);

}  // namespace larod::tools
