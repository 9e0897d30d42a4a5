// SPDX-License-Identifier: Apache-2.0
#include "larod-client/option_group.h"

#include <gtest/gtest.h>

#include "larod-client/tool_error.h"

namespace larod::tools {
namespace {

TEST(OptionGroup, TakesDecimalNumbersAlone) {
    EXPECT_EQ(OptionGroup::parseNumber("0", 0, 9), 0U);
    EXPECT_EQ(OptionGroup::parseNumber("010", 0, 10), 10U);
    EXPECT_EQ(OptionGroup::parseNumber("18446744073709551615", 0, UINT64_MAX), UINT64_MAX);
    for (const char* wrong : {"", "x", "-1", "+1", " 1", "1 ", "0x1", "1.5", "18446744073709551616"}) {
        EXPECT_THROW(static_cast<void>(OptionGroup::parseNumber(wrong, 0, UINT64_MAX)), UsageError) << wrong;
    }
}

TEST(OptionGroup, RefusesNumbersAboveALimit) {
    EXPECT_EQ(OptionGroup::parseNumber("100", 0, 100), 100U);
    EXPECT_THROW(static_cast<void>(OptionGroup::parseNumber("101", 0, 100)), UsageError);
    EXPECT_EQ(OptionGroup::parseNumber("1", 1, 100), 1U);
    EXPECT_THROW(static_cast<void>(OptionGroup::parseNumber("0", 1, 100)), UsageError);
}

TEST(OptionGroup, NamesTheOptionOfAWrongValue) {
    CLI::App app;
    uint8_t priority = 0;
    OptionGroup(app, "Jobs").number("--priority", priority, "", 100);
    try {
        app.parse(std::vector<std::string>{"101", "--priority"});
        FAIL() << "101 was taken";
    } catch (const UsageError& error) {
        EXPECT_STREQ(error.what(), "--priority: '101' is not a whole number from 0 to 100");
    }
}

TEST(Wrapped, BreaksAtBlanks) {
    EXPECT_EQ(wrapped("one two three", 7), "one two\nthree");
    EXPECT_EQ(wrapped("one two three", 6), "one\ntwo\nthree");
    EXPECT_EQ(wrapped("incomprehensible", 3), "incomprehensible");
    EXPECT_EQ(wrapped("", 3), "");
}

}  // namespace
}  // namespace larod::tools
