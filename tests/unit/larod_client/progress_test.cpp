// SPDX-License-Identifier: Apache-2.0
#include "larod-client/progress.h"

#include <gtest/gtest.h>

namespace larod::tools {
namespace {

using Seconds = std::chrono::duration<double>;

TEST(ProgressLine, TellsHowFarHowFastAndHowLong) {
    EXPECT_EQ(progressLine(500, 1000, Seconds(4), 80),
              "[=================>                 ]   50 %  500/1000  125.0 jobs/s  0:04 left");
    EXPECT_EQ(progressLine(1000, 1000, Seconds(8), 70),
              "[========================]  100 %  1000/1000  125.0 jobs/s  0:00 left");
}

TEST(ProgressLine, FitsTheTerminal) {
    for (size_t width = 50; width < 200; ++width) {
        const std::string line = progressLine(500, 1000, Seconds(4), width);
        EXPECT_LT(line.size(), width) << line;
    }
    EXPECT_EQ(progressLine(500, 1000, Seconds(4), 50), " 50 %  500/1000  125.0 jobs/s  0:04 left") << "without a bar";
}

TEST(ProgressLine, HasNoBarWithoutAnEnd) {
    EXPECT_EQ(progressLine(500, 0, Seconds(4), 80), "500  125.0 jobs/s  0:04");
    EXPECT_EQ(progressLine(36000, 0, Seconds(3601), 80), "36000  10.0 jobs/s  1:00:01");
}

TEST(ProgressLine, TakesTheLargestNumbers) {
    EXPECT_LT(progressLine(1, UINT64_MAX, Seconds(1000), 80).size(), 80U);
    EXPECT_NE(progressLine(0, 10, Seconds(1), 80).find("? left"), std::string::npos);
}

class Counter : public JobObserver {
  public:
    void onJobEnd(Clock::time_point, Clock::time_point) noexcept override { ++count; }
    int count = 0;
};

TEST(ProgressObserver, TellsTheNextObserver) {
    Counter counter;
    Progress progress(3);
    for (Progress* shown : {&progress, static_cast<Progress*>(nullptr)}) {
        ProgressObserver observer(shown, &counter);
        observer.onJobEnd(Clock::now(), Clock::now());
    }
    EXPECT_EQ(counter.count, 2);
    ProgressObserver alone(&progress, nullptr);
    alone.onJobEnd(Clock::now(), Clock::now());
}

}  // namespace
}  // namespace larod::tools
