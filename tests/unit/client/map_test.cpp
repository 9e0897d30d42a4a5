// SPDX-License-Identifier: Apache-2.0
// larodMap.
#include <gtest/gtest.h>

#include <cerrno>
#include <string>

#include "larod.h"
#include "unit/client/fake_session.h"

namespace larod::client::testing {
namespace {

class Map : public ::testing::Test {
  protected:
    Map() : map_(larodCreateMap(nullptr)) {}
    ~Map() override { larodDestroyMap(&map_); }

    larodMap* map_;
    ErrorHolder error_;
};

TEST_F(Map, HoldsEachKindOfValue) {
    EXPECT_TRUE(larodMapSetStr(map_, "s", "text", &error_));
    EXPECT_TRUE(larodMapSetInt(map_, "i", INT64_MIN, &error_));
    EXPECT_TRUE(larodMapSetIntArr2(map_, "2", 1, -2, &error_));
    EXPECT_TRUE(larodMapSetIntArr4(map_, "4", 1, 2, 3, INT64_MAX, &error_));
    EXPECT_STREQ(larodMapGetStr(map_, "s", &error_), "text");
    int64_t value = 0;
    EXPECT_TRUE(larodMapGetInt(map_, "i", &value, &error_));
    EXPECT_EQ(value, INT64_MIN);
    const int64_t* two = larodMapGetIntArr2(map_, "2", &error_);
    ASSERT_NE(two, nullptr);
    EXPECT_EQ(two[0], 1);
    EXPECT_EQ(two[1], -2);
    const int64_t* four = larodMapGetIntArr4(map_, "4", &error_);
    ASSERT_NE(four, nullptr);
    EXPECT_EQ(four[3], INT64_MAX);
    EXPECT_EQ(error_.code(), LAROD_ERROR_NONE);
}

TEST_F(Map, ReplacesAValueOfTheSameType) {
    EXPECT_TRUE(larodMapSetStr(map_, "k", "one", nullptr));
    EXPECT_TRUE(larodMapSetStr(map_, "k", "two", nullptr));
    EXPECT_STREQ(larodMapGetStr(map_, "k", nullptr), "two");
}

TEST_F(Map, KeepsTheOldValueWhenTheTypeDiffers) {
    EXPECT_TRUE(larodMapSetIntArr2(map_, "k", 1, 2, nullptr));
    EXPECT_FALSE(larodMapSetInt(map_, "k", 3, &error_));
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_FALSE(larodMapSetIntArr4(map_, "k", 3, 4, 5, 6, &error_));
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_FALSE(larodMapSetStr(map_, "k", "x", &error_));
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_EQ(larodMapGetIntArr2(map_, "k", nullptr)[1], 2);
}

TEST_F(Map, GettingAMissingKeyFailsWithEnoent) {
    int64_t value = 42;
    EXPECT_FALSE(larodMapGetInt(map_, "k", &value, &error_));
    EXPECT_EQ(error_.code(), ENOENT);
    EXPECT_EQ(value, 42);
    EXPECT_EQ(larodMapGetStr(map_, "k", &error_), nullptr);
    EXPECT_EQ(error_.code(), ENOENT);
    EXPECT_EQ(larodMapGetIntArr2(map_, "k", &error_), nullptr);
    EXPECT_EQ(error_.code(), ENOENT);
    EXPECT_EQ(larodMapGetIntArr4(map_, "k", &error_), nullptr);
    EXPECT_EQ(error_.code(), ENOENT);
}

TEST_F(Map, GettingAnotherTypeFailsWithEinval) {
    EXPECT_TRUE(larodMapSetInt(map_, "k", 1, nullptr));
    EXPECT_EQ(larodMapGetStr(map_, "k", &error_), nullptr);
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_EQ(larodMapGetIntArr2(map_, "k", &error_), nullptr);
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_EQ(larodMapGetIntArr4(map_, "k", &error_), nullptr);
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_TRUE(larodMapSetStr(map_, "s", "1", nullptr));
    int64_t value = 42;
    EXPECT_FALSE(larodMapGetInt(map_, "s", &value, &error_));
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_EQ(value, 42);
}

TEST_F(Map, KeysAndStringsHaveAtMost127Characters) {
    const std::string fits(127, 'k');
    const std::string tooLong(128, 'k');
    EXPECT_TRUE(larodMapSetStr(map_, fits.c_str(), fits.c_str(), &error_));
    EXPECT_STREQ(larodMapGetStr(map_, fits.c_str(), &error_), fits.c_str());
    EXPECT_FALSE(larodMapSetInt(map_, tooLong.c_str(), 1, &error_));
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_FALSE(larodMapSetStr(map_, "k", tooLong.c_str(), &error_));
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_EQ(larodMapGetStr(map_, tooLong.c_str(), &error_), nullptr);
    EXPECT_EQ(error_.code(), EINVAL);
}

TEST_F(Map, AnEmptyKeyFailsAndAnEmptyValueDoesNot) {
    EXPECT_FALSE(larodMapSetInt(map_, "", 1, &error_));
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_EQ(larodMapGetStr(map_, "", &error_), nullptr);
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_TRUE(larodMapSetStr(map_, "k", "", &error_));
    EXPECT_STREQ(larodMapGetStr(map_, "k", &error_), "");
}

TEST_F(Map, CopiesKeyAndValue) {
    std::string key = "key";
    std::string value = "value";
    EXPECT_TRUE(larodMapSetStr(map_, key.c_str(), value.c_str(), nullptr));
    key[0] = 'x';
    value[0] = 'x';
    EXPECT_STREQ(larodMapGetStr(map_, "key", nullptr), "value");
}

TEST_F(Map, PointersStayValidWhenOtherKeysAreSet) {
    EXPECT_TRUE(larodMapSetStr(map_, "k", "v", nullptr));
    EXPECT_TRUE(larodMapSetIntArr2(map_, "a", 1, 2, nullptr));
    const char* text = larodMapGetStr(map_, "k", nullptr);
    const int64_t* array = larodMapGetIntArr2(map_, "a", nullptr);
    for (int i = 0; i < 1000; ++i) {
        EXPECT_TRUE(larodMapSetInt(map_, std::to_string(i).c_str(), i, nullptr));
    }
    EXPECT_STREQ(text, "v");
    EXPECT_EQ(array[1], 2);
}

TEST_F(Map, NullArgumentsFailWithEinval) {
    int64_t value = 0;
    EXPECT_FALSE(larodMapSetStr(nullptr, "k", "v", &error_));
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_FALSE(larodMapSetStr(map_, nullptr, "v", &error_));
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_FALSE(larodMapSetStr(map_, "k", nullptr, &error_));
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_FALSE(larodMapSetInt(nullptr, "k", 1, &error_));
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_FALSE(larodMapSetIntArr2(map_, nullptr, 1, 2, &error_));
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_FALSE(larodMapSetIntArr4(nullptr, "k", 1, 2, 3, 4, &error_));
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_FALSE(larodMapGetInt(map_, "k", nullptr, &error_));
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_FALSE(larodMapGetInt(map_, nullptr, &value, &error_));
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_EQ(larodMapGetStr(nullptr, "k", &error_), nullptr);
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_EQ(larodMapGetIntArr2(nullptr, "k", &error_), nullptr);
    EXPECT_EQ(error_.code(), EINVAL);
    EXPECT_EQ(larodMapGetIntArr4(nullptr, "k", &error_), nullptr);
    EXPECT_EQ(error_.code(), EINVAL);
}

TEST_F(Map, DestroySetsNullAndAcceptsNull) {
    larodMap* map = larodCreateMap(nullptr);
    larodDestroyMap(&map);
    EXPECT_EQ(map, nullptr);
    larodDestroyMap(&map);
    larodDestroyMap(nullptr);
}

}  // namespace
}  // namespace larod::client::testing
