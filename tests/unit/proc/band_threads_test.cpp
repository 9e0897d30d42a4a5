// SPDX-License-Identifier: Apache-2.0
// The threads that share an image.
#include "device/proc/band_threads.h"

#include <gtest/gtest.h>

#include <barrier>
#include <numeric>
#include <stdexcept>

namespace larod::device::proc {
namespace {

TEST(BandThreads, EveryBandIsDoneOnceInEveryRun) {
    for (const size_t threads : {1U, 2U, 3U, 8U}) {
        for (const size_t bands : {1U, 2U, 7U, 40U}) {
            std::vector<std::atomic<int>> done(bands);
            BandThreads pool(threads, bands, [&](size_t thread, size_t band) {
                ASSERT_LT(thread, threads);
                ++done[band];
            });
            for (int run = 1; run <= 50; ++run) {
                pool.run();
                for (size_t band = 0; band < bands; ++band) {
                    ASSERT_EQ(done[band], run) << threads << " threads, band " << band << " of " << bands;
                }
            }
        }
    }
}

// Each band waits for another one to be begun, which only another thread can do.
TEST(BandThreads, ThreadsWorkAtTheSameTime) {
    constexpr size_t kThreads = 3;
    std::barrier together(kThreads);
    BandThreads pool(kThreads, kThreads, [&](size_t /*thread*/, size_t /*band*/) { together.arrive_and_wait(); });
    for (int run = 0; run < 20; ++run) {
        pool.run();
    }
}

// What a thread has of its own is used by one band at a time.
TEST(BandThreads, AThreadDoesOneBandAtATime) {
    constexpr size_t kThreads = 4;
    std::vector<std::atomic<int>> inWork(kThreads);
    BandThreads pool(kThreads, 64, [&](size_t thread, size_t /*band*/) {
        EXPECT_EQ(inWork[thread]++, 0);
        --inWork[thread];
    });
    for (int run = 0; run < 50; ++run) {
        pool.run();
    }
}

TEST(BandThreads, WhatTheWorkThrowsReachesTheCallerAndTheNextRunIsWhole) {
    for (const size_t threads : {1U, 3U}) {
        std::atomic<bool> fails = true;
        std::atomic<size_t> done = 0;
        BandThreads pool(threads, 9, [&](size_t /*thread*/, size_t band) {
            if (fails && band % 4 == 2) {
                throw std::runtime_error("band");
            }
            ++done;
        });
        EXPECT_THROW(pool.run(), std::runtime_error);
        fails = false;
        done = 0;
        pool.run();
        EXPECT_EQ(done, 9U);
    }
}

TEST(BandThreads, ResultsOfAllThreadsAreSeenByTheCaller) {
    std::vector<size_t> results(1000);  // not atomic: the thread sanitizer would say so
    BandThreads pool(4, results.size(), [&](size_t /*thread*/, size_t band) { results[band] += band; });
    for (int run = 0; run < 10; ++run) {
        std::fill(results.begin(), results.end(), size_t{0});
        pool.run();
        ASSERT_EQ(std::accumulate(results.begin(), results.end(), size_t{0}),
                  results.size() * (results.size() - 1) / 2);
    }
}

}  // namespace
}  // namespace larod::device::proc
