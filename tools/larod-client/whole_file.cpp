// SPDX-License-Identifier: Apache-2.0
// Files that are read or written at once.
#include "larod-client/whole_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "larod-client/tool_error.h"
#include "unique_fd.h"

namespace larod::tools {

std::vector<std::byte> readWholeFile(const std::string& name, size_t mostBytes) {
    const UniqueFd file(::open(name.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) {
        throw errnoError(fmt::format("Could not open '{}'", name));
    }
    std::vector<std::byte> content;
    std::array<std::byte, 64 * 1024> block;
    while (true) {
        const ssize_t got = ::read(file.get(), block.data(), block.size());
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            throw errnoError(fmt::format("Could not read '{}'", name));
        }
        if (got == 0) {
            return content;
        }
        if (static_cast<size_t>(got) > mostBytes - content.size()) {
            throw ToolError(EFBIG, fmt::format("'{}' has more than {} bytes", name, mostBytes));
        }
        content.insert(content.end(), block.begin(), block.begin() + got);
    }
}

std::vector<std::string> readLines(const std::string& name) {
    std::vector<std::string> lines;
    std::string line;
    const auto endLine = [&] {
        if (line.ends_with('\r')) {
            line.pop_back();
        }
        lines.push_back(std::move(line));
        line.clear();
    };
    for (const std::byte byte : readWholeFile(name, kMaxTextBytes)) {
        if (const char character = static_cast<char>(byte); character == '\n') {
            endLine();
        } else {
            line += character;
        }
    }
    if (!line.empty()) {
        endLine();
    }
    return lines;
}

void writeWholeFile(const std::string& name, const std::string& text) {
    std::ofstream file(name, std::ios::binary | std::ios::trunc);
    file << text;
    file.close();
    if (!file) {
        throw errnoError(fmt::format("Could not write '{}'", name));
    }
}

}  // namespace larod::tools
