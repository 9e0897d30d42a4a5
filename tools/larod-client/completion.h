// SPDX-License-Identifier: Apache-2.0
// What a word that was begun can become.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "larod-client/options.h"

namespace larod::tools {

struct Completions {
    size_t from = 0;                 // the byte of the line where the word begins that is completed
    std::vector<std::string> words;  // all that it can become, sorted; whole words, not quoted
    // The words are what stands before something else (a folder, a key), so no blank follows.
    bool goOn = false;

    // What all words begin with.
    [[nodiscard]] std::string common() const;
};

// Completes the end of `line`: names of options, and their values where it is known what they can be: devices, keys of
// parameters, types of buffers, files. Reads folders for the last.
[[nodiscard]] Completions complete(std::string_view line, const std::vector<OptionNames>& options,
                                   const std::vector<std::string>& devices);

}  // namespace larod::tools
