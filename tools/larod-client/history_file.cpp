// SPDX-License-Identifier: Apache-2.0
// The lines that were typed, from one run of the tool to the next.
#include "larod-client/history_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "unique_fd.h"

namespace larod::tools {

namespace {

constexpr mode_t kForUserAlone = 0600;

void writeLines(const std::string& path, const std::vector<std::string>& lines, int flags) {
    std::string text;
    for (const std::string& line : lines) {
        text += line + "\n";
    }
    const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flags, kForUserAlone));
    // One call, so that lines of several tools don't mix.
    if (file && ::write(file.get(), text.data(), text.size()) < 0) {
        return;
    }
}

}  // namespace

std::optional<std::string> historyPath() {
    const char* state = std::getenv("XDG_STATE_HOME");
    if (state != nullptr && *state == '/') {
        return std::string(state) + "/larod-client/history";
    }
    const char* home = std::getenv("HOME");
    if (home != nullptr && *home == '/') {
        return std::string(home) + "/.local/state/larod-client/history";
    }
    return std::nullopt;
}

std::vector<std::string> HistoryFile::load() const {
    std::vector<std::string> lines;
    if (!path_) {
        return lines;
    }
    std::ifstream file(*path_);
    for (std::string line; std::getline(file, line);) {
        lines.push_back(line);
    }
    const bool tooLong = lines.size() >= 2 * kMaxHistoryLines;
    if (lines.size() > kMaxHistoryLines) {
        lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(kMaxHistoryLines));
    }
    if (tooLong) {
        writeLines(*path_, lines, O_TRUNC);
    }
    return lines;
}

void HistoryFile::append(std::string_view line) const {
    if (!path_) {
        return;
    }
    std::error_code ignored;
    std::filesystem::create_directories(std::filesystem::path(*path_).parent_path(), ignored);
    writeLines(*path_, {std::string(line)}, O_APPEND);
}

}  // namespace larod::tools
