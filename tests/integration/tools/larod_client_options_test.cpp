// SPDX-License-Identifier: Apache-2.0
// The command line of larod-client: the forms of options, and what is wrong usage.
#include <gtest/gtest.h>

#include <regex>
#include <string>
#include <vector>

#include "integration/tools/larod_client.h"

namespace larod::test {
namespace {

class LarodClientOptions : public LarodClient {};

TEST_F(LarodClientOptions, TakesOptionsAsGetoptDoes) {
    const Outcome outcome = run(echo("uint8:4", {"-R2", "-R3", "-w2", "-qXYdp", "-i", "", "-oout"}));
    EXPECT_EQ(outcome.exitStatus, 0) << outcome.err;
    EXPECT_NE(outcome.out.find("Running job for 3 round(s)..."), std::string::npos) << outcome.out;
    EXPECT_EQ(readFile("out").size(), 4U);
    EXPECT_EQ(run({"--device=debug-device", "--model-param=debug.echo:1", "--input=", "--output=out", "--rounds=2",
                   "--warmup=1", "--private", "--async", "--track-inputs", "--track-outputs", "--debug"})
                  .exitStatus,
              0);
}

TEST_F(LarodClientOptions, ExitsWithStatusTwoOnWrongUsage) {
    const std::vector<std::vector<std::string>> wrong = {
        {},
        {"--nonsense"},
        {"-a", "stray"},
        {"-i", ""},
        {"-c", "debug-device"},
        {"-c", "debug-device", "-b"},
        {"-c", "debug-device", "-b", "no colon"},
        {"-c", "debug-device", "-b", ":value"},
        {"-c", "debug-device", "-b", "key:1,2,3"},
        {"-c", "debug-device", "-b", "key:1,2,3,4,5"},
        {"-c", "debug-device", "-b", "key:99999999999999999999"},
        {"-c", "debug-device", "-b", "key:1", "-R", "many"},
        {"-c", "debug-device", "-b", "key:1", "-R", "-1"},
        {"-c", "debug-device", "-b", "key:1", "-R", "99999999999999999999"},
        {"-c", "debug-device", "-b", "key:1", "-i", "", "--random-seed", "x"},
        {"-c", "debug-device", "-b", "key:1", "-i", "", "-I", "disk"},
        {"-c", "debug-device", "-b", "key:1", "-i", "", "-O", ""},
        {"-c", "debug-device", "-b", "key:1", "-i", "", "-o", ""},
        {"-c", "debug-device", "-b", "key:1", "-i", "", "--priority", "101"},
        {"-c", "debug-device", "-b", "key:1", "-i", "", "--instance", "4294967296"},
        {"-c", "debug-device", "-b", "key:1", "-i", "", "--job-param", "key"},
        {"-c", "debug-device", "-b", "key:1", "-i", "", "--alloc-param", "key:1"},
        {"-c", "debug-device", "-b", "key:1", "--private", "--public"},
        {"-c", "debug-device", "-b", "key:1", "--json"},
    };
    for (const std::vector<std::string>& arguments : wrong) {
        const Outcome outcome = run(arguments);
        expectError(outcome, 2, R"(.*; --help explains \(22\))");
        EXPECT_EQ(outcome.out, "") << "nothing is done before";
    }
}

TEST_F(LarodClientOptions, SaysThatNoJobIsRunWithoutAnInput) {
    for (const std::vector<std::string>& more : {std::vector<std::string>{"-R", "5"}, {"-o", "out"}, {"-qX"}}) {
        const Outcome outcome = run(echo("uint8:4", more));
        EXPECT_EQ(outcome.exitStatus, 0) << outcome.err;
        const std::vector<std::string> lines = splitLines(outcome.err);
        ASSERT_EQ(lines.size(), 1U) << outcome.err;
        expectLine(lines[0], "No job was run, since no input is given: -i FILE, or -i '' for random data");
    }
    EXPECT_EQ(run(echo("uint8:4", {})).err, "") << "a load alone is what this asks for";
}

TEST_F(LarodClientOptions, PrintsHelpAndVersion) {
    const Outcome help = run({"--help"});
    EXPECT_EQ(help.exitStatus, 0);
    EXPECT_NE(help.out.find("--track-outputs"), std::string::npos) << help.out;
    EXPECT_EQ(run({"-h"}).out, help.out);
    const Outcome version = run({"--version"});
    EXPECT_EQ(version.exitStatus, 0);
    EXPECT_TRUE(std::regex_match(version.out, std::regex("larod-client \\d+\\.\\d+\\.\\d+\n"))) << version.out;
}

}  // namespace
}  // namespace larod::test
