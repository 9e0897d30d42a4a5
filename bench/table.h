// SPDX-License-Identifier: Apache-2.0
// How results are printed.
#pragma once

#include <fmt/format.h>

#include <string>

#include "bench/samples.h"

namespace larod::bench {

inline void printHeading() {
    fmt::print("{:<34}{:>12}{:>12}{:>14}{:>10}\n", "microseconds", "median", "p90", "of blocks", "samples");
}

inline void printRow(const Samples& samples) {
    fmt::print("{:<34}{:>12.2f}{:>12.2f}{:>14.2f}{:>10}\n", samples.name(), samples.median(), samples.p90(),
               samples.medianOfBlocks(), samples.count());
}

inline void printRatio(const std::string& name, double value) {
    fmt::print("{:<58}{:>8.3f}\n", name, value);
}

}  // namespace larod::bench
