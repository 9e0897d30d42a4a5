// SPDX-License-Identifier: Apache-2.0
#include "service/node_opener.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <cerrno>
#include <condition_variable>
#include <map>
#include <mutex>

#include "base/error.h"

namespace larod::service {
namespace {

constexpr uint64_t kNow = 1'000;

// Nodes whose driver keeps those who open them waiting, until the test lets them.
struct SlowNodes {
    int open(const std::string& path) {
        std::unique_lock lock(mutex);
        ++opening[path];
        changed.notify_all();
        changed.wait(lock, [&] { return path != "/slow" || released; });
        if (path == "/missing") {
            errno = ENOENT;
            return -1;
        }
        return ::open("/dev/null", O_RDWR | O_CLOEXEC);
    }
    void waitFor(const std::string& path, int count) {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return opening[path] >= count; });
    }
    void release() {
        const std::lock_guard lock(mutex);
        released = true;
        changed.notify_all();
    }

    std::mutex mutex;
    std::condition_variable changed;
    std::map<std::string, int> opening;
    bool released = false;
};

class NodeOpenerTest : public testing::Test {
  protected:
    ~NodeOpenerTest() override { nodes->release(); }

    NodeOpener::Result next() {
        pollfd fd = {opener.fd(), POLLIN, 0};
        EXPECT_EQ(::poll(&fd, 1, -1), 1);
        auto result = opener.take();
        EXPECT_TRUE(result);
        return result ? std::move(*result) : NodeOpener::Result{};
    }
    int startError(const NodeOpener::Request& request) {
        try {
            opener.start(request, kNow);
        } catch (const Error& error) {
            return error.code();
        }
        return LAROD_ERROR_NONE;
    }

    const std::shared_ptr<SlowNodes> nodes = std::make_shared<SlowNodes>();
    NodeOpener opener{[shared = nodes](const std::string& path) { return shared->open(path); }};
};

TEST_F(NodeOpenerTest, OpensNodesAndSaysWhyNot) {
    opener.start({1, 10, "/node"}, kNow);
    const auto opened = next();
    EXPECT_EQ(opened.request.session, 1U);
    EXPECT_EQ(opened.request.requestId, 10U);
    EXPECT_TRUE(opened.node);
    opener.start({1, 11, "/missing"}, kNow);
    const auto missing = next();
    EXPECT_FALSE(missing.node);
    EXPECT_EQ(missing.error, ENOENT);
    EXPECT_FALSE(opener.nextDeadline());
}

TEST_F(NodeOpenerTest, ANodeThatDoesNotOpenKeepsNoOtherWaiting) {
    opener.start({1, 1, "/slow"}, kNow);
    nodes->waitFor("/slow", 1);
    opener.start({2, 1, "/node"}, kNow);
    EXPECT_EQ(next().request.session, 2U);
    nodes->release();
    EXPECT_EQ(next().request.session, 1U);
}

TEST_F(NodeOpenerTest, WhoWaitsForOneCanAskForNoOther) {
    opener.start({1, 1, "/slow"}, kNow);
    EXPECT_EQ(startError({1, 2, "/node"}), LAROD_ERROR_CONNECTION);
    EXPECT_EQ(startError({2, 2, "/node"}), LAROD_ERROR_NONE);
}

TEST_F(NodeOpenerTest, GivesUpAtItsDeadlineAndNotBefore) {
    opener.start({1, 1, "/slow"}, kNow);
    opener.start({2, 7, "/slow"}, kNow + 1);
    nodes->waitFor("/slow", 1);
    ASSERT_EQ(opener.nextDeadline(), kNow + kOpenTimeoutNs);
    EXPECT_FALSE(opener.takeLate(kNow + kOpenTimeoutNs - 1));
    auto late = opener.takeLate(kNow + kOpenTimeoutNs);
    ASSERT_TRUE(late);
    EXPECT_EQ(late->request.session, 1U);
    EXPECT_EQ(late->error, ETIMEDOUT);
    EXPECT_FALSE(late->node);
    EXPECT_FALSE(opener.takeLate(kNow + kOpenTimeoutNs));
    late = opener.takeLate(kNow + kOpenTimeoutNs + 1);
    ASSERT_TRUE(late);
    EXPECT_EQ(late->request.session, 2U);
    EXPECT_FALSE(opener.nextDeadline());
}

TEST_F(NodeOpenerTest, WhatOpensTooLateIsGivenToNobody) {
    opener.start({1, 1, "/slow"}, kNow);
    nodes->waitFor("/slow", 1);
    ASSERT_TRUE(opener.takeLate(kNow + kOpenTimeoutNs));
    opener.start({1, 2, "/slow"}, kNow);
    nodes->release();
    const auto result = next();
    EXPECT_EQ(result.request.requestId, 2U);
    EXPECT_TRUE(result.node);
    EXPECT_FALSE(opener.take());
}

}  // namespace
}  // namespace larod::service
