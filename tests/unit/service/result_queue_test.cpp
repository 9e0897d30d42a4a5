// SPDX-License-Identifier: Apache-2.0
#include "service/result_queue.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <memory>
#include <thread>

namespace larod::service {
namespace {

bool isReadable(int fd, int timeoutMs) {
    pollfd readable = {fd, POLLIN, 0};
    return ::poll(&readable, 1, timeoutMs) == 1;
}

TEST(ResultQueue, IsReadableWhileItHasResultsAndGivesThemInTheirOrder) {
    ResultQueue<std::unique_ptr<int>> results;
    EXPECT_FALSE(isReadable(results.fd(), 0));
    EXPECT_FALSE(results.take());
    results.put(std::make_unique<int>(1));
    results.put(std::make_unique<int>(2));
    for (const int expected : {1, 2}) {
        EXPECT_TRUE(isReadable(results.fd(), 0));
        const auto result = results.take();
        ASSERT_TRUE(result);
        EXPECT_EQ(**result, expected);
    }
    EXPECT_FALSE(isReadable(results.fd(), 0));
    EXPECT_FALSE(results.take());
}

TEST(ResultQueue, WakesWhoWaitsForAnotherThread) {
    ResultQueue<int> results;
    std::thread other([&results] { results.put(7); });
    EXPECT_TRUE(isReadable(results.fd(), -1));
    EXPECT_EQ(results.take(), 7);
    other.join();
}

}  // namespace
}  // namespace larod::service
