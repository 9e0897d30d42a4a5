// SPDX-License-Identifier: Apache-2.0
// The words of a line that was typed, quoted as for a shell. Pure.
#include "larod-client/command_words.h"

namespace larod::tools {

namespace {

bool isBlank(char character) {
    return character == ' ' || character == '\t' || character == '\r' || character == '\n';
}

}  // namespace

CommandWords splitWords(std::string_view line) {
    CommandWords result;
    bool inWord = false;
    const auto add = [&](size_t place, std::string_view text) {
        if (!inWord) {
            result.words.emplace_back();
            result.openAt = place;
            inWord = true;
        }
        result.words.back() += text;
    };
    for (size_t place = 0; place < line.size(); ++place) {
        const char character = line[place];
        const char next = place + 1 < line.size() ? line[place + 1] : '\0';
        if (result.openQuote != 0 && character == result.openQuote) {
            result.openQuote = 0;
        } else if (character == '\\' && place + 1 < line.size() && result.openQuote != '\'' &&
                   (result.openQuote == 0 || next == '"' || next == '\\')) {
            add(place, line.substr(place + 1, 1));
            ++place;
        } else if (result.openQuote != 0) {
            add(place, line.substr(place, 1));
        } else if (character == '\'' || character == '"') {
            add(place, {});
            result.openQuote = character;
        } else if (isBlank(character)) {
            inWord = false;
        } else if (character == '#' && result.words.empty()) {
            break;
        } else {
            add(place, line.substr(place, 1));
        }
    }
    if (!inWord) {
        result.openAt = line.size();
    }
    return result;
}

bool isContinued(std::string_view line) {
    const size_t last = line.find_last_not_of('\\');
    const size_t backslashes = last == std::string_view::npos ? line.size() : line.size() - 1 - last;
    return backslashes % 2 == 1;
}

std::string quoted(std::string_view word) {
    if (word.empty()) {
        return "''";
    }
    std::string result;
    for (const char character : word) {
        if (isBlank(character) || character == '\\' || character == '\'' || character == '"' || character == '#') {
            result += '\\';
        }
        result += character;
    }
    return result;
}

}  // namespace larod::tools
