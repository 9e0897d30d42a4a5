// SPDX-License-Identifier: Apache-2.0
#include "larod-client/parameter.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "larod-client/tool_error.h"

namespace larod::tools {
namespace {

using Value = decltype(Parameter::value);
using List = std::vector<int64_t>;

Value valueOf(const std::string& text) {
    const Parameter parameter = parseParameter("key:" + text);
    EXPECT_EQ(parameter.key, "key");
    return parameter.value;
}

TEST(Parameter, IsAnIntegerAListOrAText) {
    EXPECT_EQ(valueOf("12"), Value(int64_t{12}));
    EXPECT_EQ(valueOf("-12"), Value(int64_t{-12}));
    EXPECT_EQ(valueOf("+12"), Value(int64_t{12}));
    EXPECT_EQ(valueOf("9223372036854775807"), Value(INT64_MAX));
    EXPECT_EQ(valueOf("-9223372036854775808"), Value(INT64_MIN));
    EXPECT_EQ(valueOf("1920,1080"), Value(List{1920, 1080}));
    EXPECT_EQ(valueOf("-1,+2,3,4"), Value(List{-1, 2, 3, 4}));
    for (const char* text : {"", "nv12", "127.5", "1e3", "-", "+", "12 ", "0x10", "1,", ",1", "1,,2", "1.5,2", "--1"}) {
        EXPECT_EQ(valueOf(text), Value(std::string(text)));
    }
    EXPECT_EQ(valueOf("uint8:4x4"), Value(std::string("uint8:4x4"))) << "a colon in the value is the value's";
}

TEST(Parameter, RefusesWhatHasNoForm) {
    for (const char* text : {"", "key", ":1", "key:1,2,3", "key:1,2,3,4,5", "key:9223372036854775808",
                             "key:-9223372036854775809", "key:1,99999999999999999999"}) {
        EXPECT_THROW(static_cast<void>(parseParameter(text)), UsageError) << text;
    }
}

}  // namespace
}  // namespace larod::tools
