// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace larod {
namespace {

TEST(Error, CarriesCodeAndText) {
    const Error error(LAROD_ERROR_FD, "fd 7 is closed");
    EXPECT_EQ(error.code(), LAROD_ERROR_FD);
    EXPECT_EQ(error.text(), "fd 7 is closed");
    EXPECT_STREQ(error.what(), "fd 7 is closed");
}

TEST(Error, FormatsItsArguments) {
    const Error error(EINVAL, "input {}: expected {} bytes, got {}", 3, 150528, 7);
    EXPECT_EQ(error.code(), EINVAL);
    EXPECT_EQ(error.text(), "input 3: expected 150528 bytes, got 7");
}

TEST(Error, KeepsBracesOfATextWithoutArguments) {
    EXPECT_EQ(Error(EINVAL, "model says {} {x").text(), "model says {} {x");
}

TEST(Error, IsAStandardException) {
    try {
        throw Error(LAROD_ERROR_JOB, "no");
    } catch (const std::exception& caught) {
        EXPECT_STREQ(caught.what(), "no");
    }
}

TEST(ErrnoText, NamesKnownAndUnknownValues) {
    EXPECT_EQ(errnoText(ENOENT), "No such file or directory");
    EXPECT_NE(errnoText(123456).find("123456"), std::string::npos);
}

}  // namespace
}  // namespace larod
