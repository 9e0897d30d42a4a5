// SPDX-License-Identifier: Apache-2.0
// The dma-buf example as a process, on memory files. Dma-bufs are a matter of the system tests.
#include <gtest/gtest.h>
#include <stdio.h>

#include <cmath>
#include <sstream>
#include <string>
#include <vector>

#include "integration/tools/program.h"
#include "support/private_service.h"

namespace larod::test {
namespace {

Outcome runDmaBuf(const std::vector<std::string>& options) {
    ProgramSetup setup;
    setup.arguments = {DMA_BUF_PATH};
    setup.arguments.insert(setup.arguments.end(), options.begin(), options.end());
    return runProgram(setup);
}

TEST(DmaBufExample, WritesEachInputAndReadsEachOutput) {
    const PrivateService service;
    const Outcome outcome = runDmaBuf({"--buffers", "memory", "--jobs", "30"});
    EXPECT_EQ(outcome.exitStatus, 0) << outcome.err;
    std::istringstream lines(outcome.out);
    std::string line;
    for (int job = 0; job < 30; ++job) {
        ASSERT_TRUE(std::getline(lines, line));
        int number = -1;
        int luma = 0;
        double mean = -1;
        ASSERT_EQ(std::sscanf(line.c_str(), "job %d: luma %d in, mean of R, G and B out: %lf", &number, &luma, &mean),
                  3)
            << line;
        EXPECT_EQ(number, job);
        EXPECT_EQ(luma, 16 + 8 * (job % 27));
        EXPECT_NEAR(mean, 1.164 * (luma - 16), 0.51) << line;
    }
    ASSERT_TRUE(std::getline(lines, line));
    EXPECT_EQ(line, "The buffers are memory files.");
    EXPECT_FALSE(std::getline(lines, line));
}

TEST(DmaBufExample, SaysWhatItCantUse) {
    const PrivateService service;
    Outcome outcome = runDmaBuf({"--buffers", "/no/heap"});
    EXPECT_EQ(outcome.exitStatus, 1);
    EXPECT_EQ(outcome.err, "dma_buf: /no/heap: No such file or directory\n");
    outcome = runDmaBuf({"--device", "no-device"});
    EXPECT_EQ(outcome.exitStatus, 1);
    EXPECT_NE(outcome.err.find("no-device"), std::string::npos) << outcome.err;
    EXPECT_EQ(service.log().find("crash"), std::string::npos) << service.log();
}

TEST(DmaBufExample, SaysHowItIsCalled) {
    EXPECT_EQ(runDmaBuf({"--help"}).exitStatus, 0);
    for (const std::vector<std::string>& options :
         std::vector<std::vector<std::string>>{{"--buffers", "heap"}, {"--jobs", "few"}, {"--jobs", "-1"}, {"more"}}) {
        const Outcome outcome = runDmaBuf(options);
        EXPECT_EQ(outcome.exitStatus, 2);
        EXPECT_NE(outcome.err.find("expected"), std::string::npos) << outcome.err;
        EXPECT_NE(outcome.err.find(options.back()), std::string::npos) << outcome.err;
    }
}

TEST(DmaBufExample, TellsThatThereIsNoService) {
    ProgramSetup setup;
    setup.arguments = {DMA_BUF_PATH};
    setup.environment = {{"LAROD_SOCKET", "/no/socket"}};
    const Outcome outcome = runProgram(setup);
    EXPECT_EQ(outcome.exitStatus, 1);
    EXPECT_NE(outcome.err.find("/no/socket"), std::string::npos) << outcome.err;
}

}  // namespace
}  // namespace larod::test
