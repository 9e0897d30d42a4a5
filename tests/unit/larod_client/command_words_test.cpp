// SPDX-License-Identifier: Apache-2.0
#include "larod-client/command_words.h"

#include <gtest/gtest.h>

namespace larod::tools {
namespace {

using Words = std::vector<std::string>;

TEST(CommandWords, AreParted) {
    EXPECT_EQ(splitWords("-a").words, (Words{"-a"}));
    EXPECT_EQ(splitWords("  -c  cpu-tflite\t-g m.tflite \r").words, (Words{"-c", "cpu-tflite", "-g", "m.tflite"}));
    EXPECT_EQ(splitWords("").words, Words{});
    EXPECT_EQ(splitWords(" \t ").words, Words{});
}

TEST(CommandWords, CanBeQuoted) {
    EXPECT_EQ(splitWords("-i ''").words, (Words{"-i", ""}));
    EXPECT_EQ(splitWords("-i \"\" x").words, (Words{"-i", "", "x"}));
    EXPECT_EQ(splitWords("'a b'c\"d e\"").words, (Words{"a bcd e"}));
    EXPECT_EQ(splitWords(R"('a\b"c')").words, (Words{R"(a\b"c)"}));
    EXPECT_EQ(splitWords(R"("a\"b\\c\d'e")").words, (Words{R"(a"b\c\d'e)"}));
    EXPECT_EQ(splitWords(R"(a\ b \'c \\)").words, (Words{"a b", "'c", "\\"}));
}

TEST(CommandWords, TellAQuoteThatIsNotClosed) {
    EXPECT_EQ(splitWords("-i 'a b").openQuote, '\'');
    EXPECT_EQ(splitWords("-i \"a'").openQuote, '"');
    EXPECT_EQ(splitWords("-i 'a\"b' \"c'd\"").openQuote, 0);
    EXPECT_EQ(splitWords(R"(it\'s)").openQuote, 0);
}

TEST(CommandWords, AreNoneInAComment) {
    EXPECT_EQ(splitWords("# -a").words, Words{});
    EXPECT_EQ(splitWords("  #-a").words, Words{});
    EXPECT_EQ(splitWords("-a #b").words, (Words{"-a", "#b"})) << "a name may begin so";
}

TEST(CommandWords, TellWhereTheOpenOneBegins) {
    EXPECT_EQ(splitWords("-c cpu").openAt, 3U);
    EXPECT_EQ(splitWords("-c cpu ").openAt, 7U);
    EXPECT_EQ(splitWords("-g 'a b").openAt, 3U);
    EXPECT_EQ(splitWords("-g a\\ b").openAt, 3U);
    EXPECT_EQ(splitWords("").openAt, 0U);
}

TEST(CommandWords, GoOnAfterABackslash) {
    EXPECT_TRUE(isContinued("-a \\"));
    EXPECT_TRUE(isContinued("\\"));
    EXPECT_FALSE(isContinued("-g a\\\\")) << "a backslash that is taken as it is";
    EXPECT_TRUE(isContinued("-g a\\\\\\"));
    EXPECT_FALSE(isContinued(""));
    EXPECT_FALSE(isContinued("\\ "));
}

TEST(CommandWords, AreTheSameAfterQuoting) {
    for (const char* word : {"", "a", "a b", "it's", "\"", "\\", "#x", "\ta\r", "ä ö"}) {
        EXPECT_EQ(splitWords(quoted(word)).words, (Words{word})) << quoted(word);
    }
}

}  // namespace
}  // namespace larod::tools
