// SPDX-License-Identifier: Apache-2.0
// What holders may have, at the limits and one past them.
#include "service/quota.h"

#include <gtest/gtest.h>

namespace larod::service {
namespace {

TEST(Quota, LetsAHolderHaveItsLimitAndNotOneMore) {
    Quota quota(2, 10);
    quota.add(7);
    EXPECT_TRUE(quota.fitsHolder(7));
    quota.add(7);
    EXPECT_FALSE(quota.fitsHolder(7));
    EXPECT_TRUE(quota.fitsHolder(8)) << "another holder has its own";
    quota.remove(7);
    EXPECT_TRUE(quota.fitsHolder(7));
}

TEST(Quota, LetsAllHaveTheirLimitAndNotOneMore) {
    Quota quota(2, 3);
    quota.add(1, 2);
    quota.add(2);
    EXPECT_FALSE(quota.fitsAll());
    quota.remove(1);
    EXPECT_TRUE(quota.fitsAll());
    EXPECT_FALSE(quota.fitsAll(2));
}

TEST(Quota, RefusesAmountsThatWouldWrapAround) {
    Quota quota(UINT64_MAX - 1, UINT64_MAX - 1);
    quota.add(1, 10);
    EXPECT_FALSE(quota.fitsHolder(1, UINT64_MAX));
    EXPECT_FALSE(quota.fitsHolder(1, UINT64_MAX - 10));
    EXPECT_TRUE(quota.fitsHolder(1, UINT64_MAX - 11));
    EXPECT_FALSE(quota.fitsAll(UINT64_MAX - 10));
}

TEST(Quota, ForgetsHoldersThatHaveNothing) {
    Quota quota(4, 4);
    quota.add(1, 3);
    quota.add(2, 0);
    quota.remove(1, 3);
    quota.remove(3, 1);
    EXPECT_EQ(quota.of(1), 0U);
    EXPECT_EQ(quota.all(), 0U);
}

}  // namespace
}  // namespace larod::service
