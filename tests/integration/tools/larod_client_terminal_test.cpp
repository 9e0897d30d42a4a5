// SPDX-License-Identifier: Apache-2.0
// What larod-client shows at a terminal and nowhere else.
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "integration/tools/larod_client.h"
#include "integration/tools/terminal.h"

namespace larod::test {
namespace {

class LarodClientTerminal : public LarodClient {
  protected:
    ProgramSetup atTerminal(std::vector<std::string> arguments) {
        ProgramSetup setup = LarodClient::setup(std::move(arguments));
        setup.environment = {{"TERM", "xterm"}, {"NO_COLOR", ""}};
        return setup;
    }

    // Jobs of 20 ms until a signal.
    ProgramSetup endless() {
        return atTerminal({"-c", "debug-device", "-b", "debug.delay:20000", "-i", "", "-o", "out", "-R", "0"});
    }
};

constexpr const char* kGreen = "\x1b[32m";
constexpr const char* kRed = "\x1b[31m";
constexpr const char* kClear = "\r\x1b[K";
constexpr const char* kCtrlC = "\x03";

TEST_F(LarodClientTerminal, ShowsTheProgressOfLongRuns) {
    Terminal terminal(endless());
    terminal.waitFor("round(s)...\r\n");
    const std::string drawn = terminal.waitFor(" jobs/s  0:01");
    EXPECT_EQ(drawn.find(std::string(kClear) + kGreen), 0U) << drawn;
    terminal.type(kCtrlC);
    terminal.waitFor(std::string(kClear) + "20");  // wiped, and then a time stamp
    terminal.waitFor("Mean execution time for job: ");
    EXPECT_EQ(terminal.wait(), 0);
}

TEST_F(LarodClientTerminal, ShowsABarWhereThereIsAnEnd) {
    Terminal terminal(
        atTerminal({"-c", "debug-device", "-b", "debug.delay:20000", "-i", "", "-o", "out", "-R", "70", "-q"}));
    terminal.waitFor("[====");
    terminal.waitFor("/70  ");
    terminal.waitFor(" left");
    EXPECT_EQ(terminal.wait(), 0);
    EXPECT_NE(terminal.rest().find("Mean execution time for job: "), std::string::npos) << terminal.rest();
}

TEST_F(LarodClientTerminal, ShowsOneBarForAllClients) {
    Terminal terminal(atTerminal(
        {"-c", "debug-device", "-b", "debug.delay:20000", "-i", "", "-o", "out", "-R", "35", "--clients", "2"}));
    terminal.waitFor("[====");
    terminal.waitFor("/70  ");
    terminal.waitFor(" left");
    EXPECT_EQ(terminal.wait(), 0);
    EXPECT_NE(terminal.rest().find(std::string(kClear) + "20"), std::string::npos) << "wiped: " << terminal.rest();
    EXPECT_NE(terminal.rest().find("Mean execution time for job: "), std::string::npos) << terminal.rest();
}

TEST_F(LarodClientTerminal, ShowsNoProgressOfShortRuns) {
    Terminal terminal(atTerminal(echo("uint8:4", {"-i", "", "-o", "out", "-R", "1"})));
    EXPECT_EQ(terminal.wait(), 0);
    EXPECT_EQ(terminal.rest().find("jobs/s"), std::string::npos) << terminal.rest();
    EXPECT_EQ(terminal.rest().find('\x1b'), std::string::npos) << terminal.rest();
}

TEST_F(LarodClientTerminal, HasColoursUnlessTheyAreNotWanted) {
    Terminal coloured(atTerminal({"--nonsense"}));
    EXPECT_EQ(coloured.wait(), 2);
    EXPECT_NE(coloured.rest().find(std::string(kRed) + "ERROR:"), std::string::npos) << coloured.rest();
    ProgramSetup plain = atTerminal({"--nonsense"});
    plain.environment["NO_COLOR"] = "1";
    Terminal colourless(plain);
    EXPECT_EQ(colourless.wait(), 2);
    EXPECT_EQ(colourless.rest().find("\x1b[3"), std::string::npos) << colourless.rest();
    EXPECT_NE(colourless.rest().find(" ERROR: "), std::string::npos) << colourless.rest();
}

TEST_F(LarodClientTerminal, DoesNotDrawWhereTheTerminalCannot) {
    ProgramSetup dumb = endless();
    dumb.environment["TERM"] = "dumb";
    dumb.arguments.back() = "60";  // rounds
    Terminal terminal(dumb);
    EXPECT_EQ(terminal.wait(), 0);
    EXPECT_EQ(terminal.rest().find("jobs/s"), std::string::npos) << terminal.rest();
}

TEST_F(LarodClientTerminal, ShowsNothingOfItElsewhere) {
    ProgramSetup piped = endless();
    piped.arguments.back() = "60";
    const Outcome outcome = runProgram(piped);
    EXPECT_EQ(outcome.exitStatus, 0);
    EXPECT_EQ(outcome.err, "");
    EXPECT_EQ(outcome.out.find('\x1b'), std::string::npos) << outcome.out;
}

TEST(Terminal, TellsWhatItWaitedForWhenTheTimeIsUp) {
    Terminal terminal({.arguments = {"/bin/cat"}, .environment = {}});
    constexpr std::chrono::milliseconds kShort{20};
    EXPECT_NONFATAL_FAILURE(terminal.waitFor("what never comes", kShort), "has not shown 'what never comes', but: ");
    EXPECT_NONFATAL_FAILURE(terminal.wait(kShort), "has not ended, but shown: ");
}

}  // namespace
}  // namespace larod::test
