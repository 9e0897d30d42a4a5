// SPDX-License-Identifier: Apache-2.0
#include "support/process_tree.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

namespace larod::test {

std::vector<pid_t> childrenOf(pid_t parent) {
    std::vector<pid_t> children;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        const std::string name = entry.path().filename();
        if (name.find_first_not_of("0123456789") != std::string::npos) {
            continue;
        }
        std::ifstream file(entry.path() / "stat");
        std::string line;
        std::getline(file, line);
        // pid (name) state ppid ...; the name may hold anything.
        const size_t nameEnd = line.rfind(')');
        char state = 'Z';
        int itsParent = -1;
        if (nameEnd != std::string::npos &&
            std::sscanf(line.c_str() + nameEnd + 1, " %c %d", &state, &itsParent) == 2 && itsParent == parent &&
            state != 'Z') {
            children.push_back(static_cast<pid_t>(std::stol(name)));
        }
    }
    return children;
}

}  // namespace larod::test
