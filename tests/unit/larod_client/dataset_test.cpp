// SPDX-License-Identifier: Apache-2.0
#include "larod-client/dataset.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "larod-client/tool_error.h"

namespace larod::tools {
namespace {

std::string refusalOf(const std::vector<std::string>& lines) {
    try {
        static_cast<void>(parseTruth(lines, "truth.txt"));
        return "nothing was refused";
    } catch (const ToolError& error) {
        return error.what();
    }
}

TEST(Truth, HasAFileAndALabelALine) {
    const std::vector<TruthEntry> entries =
        parseTruth({"# pictures", "", "a.jpg 3", "  b.png\ttiger cat  ", "\"two words.png\" 4", "\"c.png\"5"}, "truth");
    EXPECT_EQ(entries, (std::vector<TruthEntry>{
                           {"a.jpg", "3"}, {"b.png", "tiger cat"}, {"two words.png", "4"}, {"c.png", "5"}}));
}

TEST(Truth, NamesTheLineThatIsWrong) {
    EXPECT_EQ(refusalOf({"a.jpg 1", "b.jpg"}),
              "'truth.txt', line 2: expected the name of a file, a blank and its label");
    EXPECT_EQ(refusalOf({"b.jpg  "}), "'truth.txt', line 1: expected the name of a file, a blank and its label");
    EXPECT_EQ(refusalOf({"\"b.jpg 1"}), "'truth.txt', line 1: the name of the file has no closing quote");
    EXPECT_EQ(refusalOf({"", "# none"}), "'truth.txt' names no picture");
}

TEST(Accuracy, CountsTheBestClassAndTheBestFive) {
    const std::vector<double> scores = {0, 9, 8, 7, 6, 5, 4};
    Accuracy accuracy;
    accuracy.count(scores, 1);
    accuracy.count(scores, 5);
    accuracy.count(scores, 6);
    accuracy.count(scores, 2);
    EXPECT_EQ(accuracy.text(), "first 25.00 % (1 of 4), among five 75.00 % (3 of 4)");
    EXPECT_EQ(Accuracy().text(), "first 0.00 % (0 of 0), among five 0.00 % (0 of 0)");
}

}  // namespace
}  // namespace larod::tools
