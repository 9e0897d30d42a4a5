// SPDX-License-Identifier: Apache-2.0
// The rules of api.md 9.
#include "base/param_map.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <limits>

#include "base/error.h"

namespace larod {
namespace {

using Array2 = std::array<int64_t, 2>;
using Array4 = std::array<int64_t, 4>;

template <typename Function>
Error errorOf(Function&& function) {
    try {
        function();
    } catch (const Error& error) {
        return error;
    }
    ADD_FAILURE() << "nothing was thrown";
    return {0, ""};
}

// The value, or the test's failure and an empty one.
template <typename T>
T held(const ParamMap& map, std::string_view key) {
    const T* value = map.get<T>(key, EINVAL);
    if (value == nullptr) {
        ADD_FAILURE() << "'" << key << "' is absent";
        return T{};
    }
    return *value;
}

TEST(ParamMap, KeepsEachTypeOfValue) {
    ParamMap map;
    map.set("int", int64_t{std::numeric_limits<int64_t>::min()});
    map.set("two", Array2{-1, 2});
    map.set("four", Array4{1, 2, 3, std::numeric_limits<int64_t>::max()});
    map.set("text", std::string("nv12"));
    EXPECT_EQ(held<int64_t>(map, "int"), std::numeric_limits<int64_t>::min());
    EXPECT_EQ(held<Array2>(map, "two"), (Array2{-1, 2}));
    EXPECT_EQ(held<Array4>(map, "four"), (Array4{1, 2, 3, std::numeric_limits<int64_t>::max()}));
    EXPECT_EQ(held<std::string>(map, "text"), "nv12");
    EXPECT_EQ(map.entries().size(), 4U);
}

TEST(ParamMap, HasNoValueForAMissingKey) {
    ParamMap map;
    EXPECT_TRUE(map.empty());
    EXPECT_EQ(map.find("nothing"), nullptr);
    EXPECT_EQ(map.get<int64_t>("nothing", EINVAL), nullptr);
}

TEST(ParamMap, ReplacesAValueOfTheSameType) {
    ParamMap map;
    map.set("key", std::string("old"));
    map.set("key", std::string("new"));
    EXPECT_EQ(held<std::string>(map, "key"), "new");
    EXPECT_EQ(map.entries().size(), 1U);
}

TEST(ParamMap, RefusesAnotherTypeAndKeepsTheOldValue) {
    ParamMap map;
    map.set("key", Array2{1, 2});
    EXPECT_EQ(errorOf([&] { map.set("key", int64_t{3}); }).code(), EINVAL);
    EXPECT_EQ(errorOf([&] { map.set("key", Array4{1, 2, 3, 4}); }).code(), EINVAL);
    EXPECT_EQ(errorOf([&] { map.set("key", std::string("x")); }).code(), EINVAL);
    EXPECT_EQ(held<Array2>(map, "key"), (Array2{1, 2}));
}

TEST(ParamMap, SaysWhichKeyAndTypesWhereAnotherTypeIsAsked) {
    ParamMap map;
    map.set("image.input.size", Array2{640, 480});
    const Error error =
        errorOf([&] { static_cast<void>(map.get<std::string>("image.input.size", LAROD_ERROR_LOAD_MODEL)); });
    EXPECT_EQ(error.code(), LAROD_ERROR_LOAD_MODEL);
    EXPECT_NE(error.text().find("image.input.size"), std::string::npos);
    EXPECT_NE(error.text().find("string"), std::string::npos);
    EXPECT_NE(error.text().find("array of 2 integers"), std::string::npos);
}

TEST(ParamMap, TakesKeysOf1To127Characters) {
    ParamMap map;
    map.set("k", int64_t{1});
    map.set(std::string(127, 'k'), int64_t{2});
    EXPECT_EQ(held<int64_t>(map, std::string(127, 'k')), 2);
    EXPECT_EQ(errorOf([&] { map.set("", int64_t{1}); }).code(), EINVAL);
    EXPECT_EQ(errorOf([&] { map.set(std::string(128, 'k'), int64_t{1}); }).code(), EINVAL);
    EXPECT_EQ(errorOf([] { ParamMap::checkKey(""); }).code(), EINVAL);
    EXPECT_EQ(errorOf([] { ParamMap::checkKey(std::string(128, 'k')); }).code(), EINVAL);
    EXPECT_NO_THROW(ParamMap::checkKey(std::string(127, 'k')));
    EXPECT_EQ(map.entries().size(), 2U);
}

TEST(ParamMap, TakesStringsOf0To127Characters) {
    ParamMap map;
    map.set("empty", std::string());
    map.set("long", std::string(127, 'v'));
    EXPECT_EQ(held<std::string>(map, "empty"), "");
    EXPECT_EQ(errorOf([&] { map.set("longer", std::string(128, 'v')); }).code(), EINVAL);
    EXPECT_EQ(map.find("longer"), nullptr);
    EXPECT_EQ(errorOf([&] { map.set("long", std::string(128, 'w')); }).code(), EINVAL);
    EXPECT_EQ(held<std::string>(map, "long"), std::string(127, 'v')) << "the old value stays";
}

TEST(ParamMap, IsAValue) {
    ParamMap map;
    map.set("key", int64_t{1});
    ParamMap copy = map;
    copy.set("key", int64_t{2});
    EXPECT_EQ(held<int64_t>(map, "key"), 1);
    copy.clear();
    EXPECT_TRUE(copy.empty());
    EXPECT_FALSE(map.empty());
}

TEST(ParamMap, KeepsAnEntryInPlaceUntilItIsSetAgain) {
    ParamMap map;
    map.set("first", std::string("value"));
    const auto* first = map.get<std::string>("first", EINVAL);
    for (int i = 0; i < 1000; ++i) {
        map.set("other" + std::to_string(i), int64_t{i});
    }
    EXPECT_EQ(map.get<std::string>("first", EINVAL), first);
    EXPECT_EQ(held<std::string>(map, "first"), "value");
}

TEST(ParamTypeName, NamesEveryType) {
    EXPECT_EQ(paramTypeName(int64_t{1}), "integer");
    EXPECT_EQ(paramTypeName(Array2{}), "array of 2 integers");
    EXPECT_EQ(paramTypeName(Array4{}), "array of 4 integers");
    EXPECT_EQ(paramTypeName(std::string()), "string");
}

}  // namespace
}  // namespace larod
