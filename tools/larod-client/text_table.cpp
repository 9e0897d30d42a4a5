// SPDX-License-Identifier: Apache-2.0
// Text for a terminal: columns that line up, and nothing in them that a terminal would obey.
#include "larod-client/text_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace larod::tools {

namespace {

struct Character {
    size_t length;  // in bytes; 0: these bytes are no UTF-8
    uint32_t value;
};

Character firstCharacter(std::string_view text) {
    const auto byte = [&](size_t index) { return static_cast<uint8_t>(text[index]); };
    const uint8_t lead = byte(0);
    if (lead < 0x80) {
        return {1, lead};
    }
    const size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || text.size() < length) {
        return {0, 0};
    }
    uint32_t value = lead & (0xffU >> (length + 1));
    for (size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xc0U) != 0x80) {
            return {0, 0};
        }
        value = value << 6U | (byte(i) & 0x3fU);
    }
    constexpr std::array<uint32_t, 5> kLeast = {0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = value >= 0xd800 && value < 0xe000;
    return value < kLeast[length] || value > 0x10ffff || surrogate ? Character{0, 0} : Character{length, value};
}

// Control characters, and those that turn the direction of writing or hide.
bool isPrintable(uint32_t value) {
    return value >= 0x20 && (value < 0x7f || value >= 0xa0) && (value < 0x200b || value > 0x200f) &&
           (value < 0x2028 || value > 0x202e) && (value < 0x2060 || value > 0x206f) && value != 0xfeff &&
           (value < 0xe0000 || value > 0xe0fff);
}

size_t width(std::string_view text) {
    return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char character) {
        return (static_cast<uint8_t>(character) & 0xc0U) != 0x80;  // one a character of UTF-8
    }));
}

}  // namespace

std::string printable(std::string_view text) {
    std::string result;
    while (!text.empty()) {
        const Character character = firstCharacter(text);
        const size_t length = std::max<size_t>(character.length, 1);
        if (character.length == 0 || !isPrintable(character.value)) {
            for (const char byte : text.substr(0, length)) {
                result += fmt::format("\\x{:02x}", static_cast<uint8_t>(byte));
            }
        } else if (character.value == '\\') {
            result += "\\\\";
        } else {
            result += text.substr(0, length);
        }
        text.remove_prefix(length);
    }
    return result;
}

std::string byteText(uint64_t bytes) {
    constexpr std::array<const char*, 6> kUnits = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    if (bytes < 1024) {
        return fmt::format("{} B", bytes);
    }
    double value = static_cast<double>(bytes) / 1024;
    size_t unit = 0;
    for (; value >= 1023.95 && unit + 1 < kUnits.size(); ++unit) {
        value /= 1024;
    }
    return fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string TextTable::text() const {
    std::vector<size_t> widths;
    for (size_t column = 0; column < columns_.size(); ++column) {
        size_t most = width(columns_[column].title);
        for (const auto& row : rows_) {
            most = std::max(most, width(row[column]));
        }
        widths.push_back(most);
    }
    std::string text;
    const auto addLine = [&](const auto& cellOf) {
        std::string line;
        for (size_t column = 0; column < columns_.size(); ++column) {
            const std::string& cell = cellOf(column);
            const std::string padding(widths[column] - width(cell), ' ');
            line += column == 0 ? " " : "  ";
            line += columns_[column].align == Align::Left ? cell + padding : padding + cell;
        }
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + "\n";
    };
    addLine([this](size_t column) -> const std::string& { return columns_[column].title; });
    for (const auto& row : rows_) {
        addLine([&row](size_t column) -> const std::string& { return row[column]; });
    }
    return text;
}

}  // namespace larod::tools
