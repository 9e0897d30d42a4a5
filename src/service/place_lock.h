// SPDX-License-Identifier: Apache-2.0
// Who may put a socket at a path, or remove it: one process at a time.
#pragma once

#include <string>

#include "base/unique_fd.h"

namespace larod::service {

// Two services that start at once would both find the socket of a dead one, and the second would remove what the first
// has bound. So whoever looks at a socket's path and then changes it holds a file lock beside it meanwhile: the file
// PATH.lock, which only its user may open, and which is gone again with the lock.
class PlaceLock {
  public:
    // Waits for others. Throws Error(LAROD_ERROR_CONNECTION) where the file can't be made.
    explicit PlaceLock(const std::string& path);
    ~PlaceLock();
    PlaceLock(const PlaceLock&) = delete;
    PlaceLock& operator=(const PlaceLock&) = delete;

  private:
    const std::string file_;
    UniqueFd fd_;
};

}  // namespace larod::service
