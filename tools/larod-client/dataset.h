// SPDX-License-Identifier: Apache-2.0
// A classification on many pictures whose classes are known.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "larod-client/classification.h"
#include "larod-client/options.h"
#include "larod.h"

namespace larod::tools {

// A picture and what is on it.
struct TruthEntry {
    std::string file;
    std::string label;

    friend bool operator==(const TruthEntry&, const TruthEntry&) = default;
};

// One entry a line: the name of the file, a blank, the label, which may have blanks; a name with blanks stands in
// double quotes. Empty lines and those that begin with # are left out. Throws ToolError that names the line.
[[nodiscard]] std::vector<TruthEntry> parseTruth(const std::vector<std::string>& lines, const std::string& fileName);

// How often the right class was the best one, and among the best five.
struct Accuracy {
    uint64_t pictures = 0;
    uint64_t first = 0;
    uint64_t amongFive = 0;

    void count(std::span<const double> scores, size_t rightClass);
    // "first 75.00 % (3 of 4), among five 100.00 % (4 of 4)".
    [[nodiscard]] std::string text() const;
};

// Runs the model on all of the pictures, the preprocessing of one while the job of the one before runs, and prints how
// many it got right. Progress is told on stderr where that is a terminal. Throws ToolError, which names the picture.
void runDataset(larodConnection* conn, const larodModel* model, const Options& options);

}  // namespace larod::tools
