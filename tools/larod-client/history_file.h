// SPDX-License-Identifier: Apache-2.0
// The lines that were typed, from one run of the tool to the next.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace larod::tools {

inline constexpr size_t kMaxHistoryLines = 1000;

// $XDG_STATE_HOME/larod-client/history, or the same in ~/.local/state; nothing where neither is an absolute path.
[[nodiscard]] std::optional<std::string> historyPath();

// A text file with a command a line, for its user alone. Whatever goes wrong with it, nobody is told: the tool works as
// well without. Several tools may append at a time.
class HistoryFile {
  public:
    explicit HistoryFile(std::optional<std::string> path) : path_(std::move(path)) {}

    // The newest kMaxHistoryLines, the oldest of them first. Cuts the file to them where it has become twice as long.
    [[nodiscard]] std::vector<std::string> load() const;

    // `line` has no line end.
    void append(std::string_view line) const;

  private:
    std::optional<std::string> path_;
};

}  // namespace larod::tools
