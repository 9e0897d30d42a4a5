// SPDX-License-Identifier: Apache-2.0
// Text for a terminal: columns that line up, and nothing in them that a terminal would obey.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace larod::tools {

// The text with everything written as \xNN that is no printable character of UTF-8: names come from other programs, and
// a terminal acts on control characters. A backslash becomes two.
[[nodiscard]] std::string printable(std::string_view text);

// "0 B", "1.5 MiB".
[[nodiscard]] std::string byteText(uint64_t bytes);

class TextTable {
  public:
    enum class Align : uint8_t { Left, Right };
    struct Column {
        std::string title;
        Align align = Align::Left;
    };

    explicit TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {}

    // As many cells as columns.
    void addRow(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }

    // A line of titles and a line a row, each with a blank before it.
    [[nodiscard]] std::string text() const;

  private:
    std::vector<Column> columns_;
    std::vector<std::vector<std::string>> rows_;
};

}  // namespace larod::tools
