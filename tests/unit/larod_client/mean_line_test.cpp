// SPDX-License-Identifier: Apache-2.0
// The line that scripts look for.
#include <gtest/gtest.h>

#include <locale>
#include <sstream>
#include <string>

#include "larod-client/run.h"

namespace larod::tools {
namespace {

// As in German: 1.234,50.
class CommaNumbers : public std::numpunct<char> {
  protected:
    [[nodiscard]] char do_decimal_point() const override { return ','; }
    [[nodiscard]] char do_thousands_sep() const override { return '.'; }
    [[nodiscard]] std::string do_grouping() const override { return "\3"; }
};

std::string meanOf(uint64_t rounds, double elapsedMs) {
    return meanLine({.rounds = rounds, .elapsed = std::chrono::duration<double, std::milli>(elapsedMs)});
}

TEST(MeanLine, IsTheTimeOfOneRoundInMilliseconds) {
    EXPECT_EQ(meanOf(100, 560), "Mean execution time for job: 5.60 ms");
    EXPECT_EQ(meanOf(1, 0.004), "Mean execution time for job: 0.00 ms");
    EXPECT_EQ(meanOf(3, 10), "Mean execution time for job: 3.33 ms");
}

TEST(MeanLine, HasAPointInEveryLocale) {
    const std::locale before = std::locale::global(std::locale(std::locale::classic(), new CommaNumbers));
    std::ostringstream witness;
    witness << 1234.5;
    EXPECT_EQ(witness.str(), "1.234,5") << "the locale is in force";
    EXPECT_EQ(meanOf(1, 1234.5), "Mean execution time for job: 1234.50 ms");
    std::locale::global(before);
}

}  // namespace
}  // namespace larod::tools
