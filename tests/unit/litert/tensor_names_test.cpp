// SPDX-License-Identifier: Apache-2.0
#include "device/litert/tensor_names.h"

#include <gtest/gtest.h>

#include <set>

namespace larod::device::litert {
namespace {

using Names = std::vector<std::string>;

TEST(DistinctNames, DifferentNamesStayAsTheyAre) {
    EXPECT_EQ(distinctNames({"b", "a", ""}), (Names{"b", "a", ""}));
}

TEST(DistinctNames, RepeatedNamesAreNumbered) {
    EXPECT_EQ(distinctNames({"x", "x", "x"}), (Names{"x", "x_1", "x_2"}));
    EXPECT_EQ(distinctNames({"", ""}), (Names{"", "_1"}));
}

TEST(DistinctNames, ANumberedNameNeverTakesOneThatIsThere) {
    EXPECT_EQ(distinctNames({"x", "x", "x_1"}), (Names{"x", "x_2", "x_1"}));
}

TEST(DistinctNames, LongNamesAreCutAndStayDistinct) {
    const auto names = distinctNames({std::string(300, 'n'), std::string(301, 'n'), std::string(255, 'n')});
    const std::set<std::string> different(names.begin(), names.end());
    EXPECT_EQ(different.size(), 3U);
    for (const std::string& name : names) {
        EXPECT_LE(name.size(), kMaxNameLength);
    }
}

}  // namespace
}  // namespace larod::device::litert
