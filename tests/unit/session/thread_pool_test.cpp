// SPDX-License-Identifier: Apache-2.0
// Threads as there are things at once.
#include "session/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace larod::session {
namespace {

TEST(ThreadPool, RunsATaskOnAThreadOfItsOwn) {
    ThreadPool pool;
    std::promise<std::thread::id> ran;
    pool.run([&] { ran.set_value(std::this_thread::get_id()); });
    EXPECT_NE(ran.get_future().get(), std::this_thread::get_id());
    pool.stop();
}

TEST(ThreadPool, RunsAsManyTasksAtOnceAsThereAre) {
    constexpr int kTasks = 8;
    ThreadPool pool;
    std::atomic<int> running{0};
    std::promise<void> all;
    auto allRun = all.get_future().share();
    std::vector<std::promise<void>> done(kTasks);
    for (auto& promise : done) {
        pool.run([&, allRun] {
            if (++running == kTasks) {
                all.set_value();
            }
            allRun.wait();  // returns only if all of them run at the same time
            promise.set_value();
        });
    }
    for (auto& promise : done) {
        promise.get_future().get();
    }
    pool.stop();
}

TEST(ThreadPool, WorkReturnsWhenTheTasksThatRunHaveEnded) {
    ThreadPool pool;
    std::atomic<bool> ended{false};
    std::promise<void> started;
    std::promise<void> go;
    auto mayGo = go.get_future().share();
    pool.run([&, mayGo] {
        started.set_value();
        mayGo.wait();
        ended = true;
    });
    started.get_future().get();
    std::thread stopper([&] {
        pool.stop();
        go.set_value();
    });
    pool.work();
    EXPECT_TRUE(ended);
    stopper.join();
}

TEST(ThreadPool, StartsNoTaskAfterStop) {
    ThreadPool pool;
    pool.stop();
    pool.run([] { ADD_FAILURE() << "the pool was stopped"; });
    pool.work();
}

TEST(ThreadPool, DropsWhatHasNotStartedAndFreesWhatItHeld) {
    ThreadPool pool;
    const auto held = std::make_shared<int>(0);
    std::promise<void> started;
    std::promise<void> go;
    auto mayGo = go.get_future().share();
    pool.run([&, mayGo] {
        started.set_value();
        mayGo.wait();
    });
    started.get_future().get();
    pool.stop();
    pool.run([held] {});
    EXPECT_EQ(held.use_count(), 1);
    go.set_value();
    pool.work();
}

TEST(ThreadPool, CanBeStoppedByATask) {
    ThreadPool pool;
    pool.run([&pool] { pool.stop(); });
    pool.work();
}

}  // namespace
}  // namespace larod::session
