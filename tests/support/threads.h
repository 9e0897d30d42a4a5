// SPDX-License-Identifier: Apache-2.0
// What threads of this process are doing.
#pragma once

#include <sys/types.h>

#include <fstream>
#include <string>

namespace larod::test {

// Whether the thread with this number waits in the kernel; false where there is none (0).
inline bool sleeps(pid_t thread) {
    std::ifstream file("/proc/self/task/" + std::to_string(thread) + "/stat");
    std::string line;
    std::getline(file, line);
    const size_t end = line.rfind(')');  // pid (name) state ...
    return end != std::string::npos && end + 2 < line.size() && line[end + 2] == 'S';
}

}  // namespace larod::test
