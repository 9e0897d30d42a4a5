// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"

#include <cstring>

namespace larod {

std::string errnoText(int errnum) {
    char buffer[128];
    // The GNU variant returns the text, which may or may not be in `buffer`.
    return ::strerror_r(errnum, buffer, sizeof(buffer));
}

}  // namespace larod
