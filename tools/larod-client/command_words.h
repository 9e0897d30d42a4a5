// SPDX-License-Identifier: Apache-2.0
// The words of a line that was typed, quoted as for a shell. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace larod::tools {

// Words are parted by blanks. A backslash takes the next character as it is, as '...' does with all between; in "..." a
// backslash does so before " and \ alone. A line whose first word begins with # has none.
struct CommandWords {
    std::vector<std::string> words;
    // The last one of `words` has not ended with a blank; it begins at this byte of the line. Without one, the length
    // of the line.
    size_t openAt = 0;
    char openQuote = 0;  // ' or " that is not closed
};

[[nodiscard]] CommandWords splitWords(std::string_view line);

// Whether the line goes on in the next one: it ends with a backslash that nothing takes as it is.
[[nodiscard]] bool isContinued(std::string_view line);

// The word so that splitWords() gives it again.
[[nodiscard]] std::string quoted(std::string_view word);

}  // namespace larod::tools
