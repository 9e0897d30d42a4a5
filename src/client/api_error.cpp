// SPDX-License-Identifier: Apache-2.0
// larod.h: errors.
#include <utility>

#include "client/guard.h"

using namespace larod::client;

LAROD_EXPORT void larodClearError(larodError** error) {
    if (error != nullptr) {
        destroyError(std::exchange(*error, nullptr));
    }
}
