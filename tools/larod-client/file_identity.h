// SPDX-License-Identifier: Apache-2.0
// Tells whether two open files are the same one.
#pragma once

#include <sys/types.h>

namespace larod::tools {

struct FileIdentity {
    dev_t device = 0;
    ino_t inode = 0;

    friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};

}  // namespace larod::tools
