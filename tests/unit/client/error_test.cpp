// SPDX-License-Identifier: Apache-2.0
// Error objects and the edge that makes them.
#include <gtest/gtest.h>

#include <stdexcept>
#include <system_error>

#include "client/error_object.h"
#include "client/guard.h"

namespace larod::client {
namespace {

TEST(ErrorObject, ClearSetsTheHandleToNull) {
    larodError* error = makeError(LAROD_ERROR_JOB, "text");
    ASSERT_NE(error, nullptr);
    EXPECT_EQ(error->code, LAROD_ERROR_JOB);
    EXPECT_STREQ(error->msg, "text");
    larodClearError(&error);
    EXPECT_EQ(error, nullptr);
}

TEST(ErrorObject, ClearAcceptsNull) {
    larodClearError(nullptr);
    larodError* error = nullptr;
    larodClearError(&error);
    EXPECT_EQ(error, nullptr);
}

TEST(Guard, LeavesTheErrorAloneOnSuccess) {
    larodError marker = {LAROD_ERROR_NONE, nullptr};
    larodError* error = &marker;
    EXPECT_TRUE(guard(&error, [] {}));
    EXPECT_EQ(error, &marker);
}

TEST(Guard, ReplacesWhatTheErrorHeldWithoutReadingIt) {
    larodError* error = reinterpret_cast<larodError*>(0x10);
    EXPECT_FALSE(guard(&error, [] { throw Error(LAROD_ERROR_FD, "fd"); }));
    EXPECT_EQ(error->code, LAROD_ERROR_FD);
    EXPECT_STREQ(error->msg, "fd");
    larodClearError(&error);
}

TEST(Guard, GivesTheFailureValueWithoutAnErrorToFill) {
    EXPECT_EQ(guard<int>(nullptr, -7, []() -> int { throw Error(LAROD_ERROR_FD, "fd"); }), -7);
}

TEST(Guard, GivesTheStaticObjectWhenMemoryIsOut) {
    larodError* error = nullptr;
    EXPECT_FALSE(guard(&error, [] { throw std::bad_alloc(); }));
    ASSERT_EQ(error, outOfMemoryError());
    EXPECT_EQ(static_cast<int>(error->code), ENOMEM);
    EXPECT_NE(error->msg, nullptr);
    larodClearError(&error);
    EXPECT_EQ(error, nullptr);
    EXPECT_STREQ(outOfMemoryError()->msg, "out of memory");
}

TEST(Guard, KeepsTheErrnoOfASystemError) {
    larodError* error = nullptr;
    EXPECT_FALSE(guard(&error, [] { throw std::system_error(EAGAIN, std::generic_category()); }));
    EXPECT_EQ(static_cast<int>(error->code), EAGAIN);
    larodClearError(&error);
}

TEST(Guard, TurnsOtherExceptionsIntoErrors) {
    larodError* error = nullptr;
    EXPECT_FALSE(guard(&error, [] { throw std::runtime_error("odd"); }));
    EXPECT_EQ(static_cast<int>(error->code), EIO);
    EXPECT_STREQ(error->msg, "odd");
    larodClearError(&error);
}

}  // namespace
}  // namespace larod::client
