// SPDX-License-Identifier: Apache-2.0
// larod-client's interactive mode: lines from a file, and lines that are typed at a terminal.
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <string>
#include <vector>

#include "image_file.h"
#include "integration/tools/german_locale.h"
#include "integration/tools/larod_client.h"
#include "integration/tools/terminal.h"

namespace larod::test {
namespace {

constexpr const char* kUp = "\x1b[A";
constexpr const char* kCtrlC = "\x03";
constexpr const char* kCtrlD = "\x04";

class LarodClientInteractive : public LarodClient {
  protected:
    // stdin is no terminal.
    Outcome runLines(const std::string& lines) {
        Program program(setup({"-r"}));
        program.write(lines);
        program.closeInput();
        return program.wait();
    }

    // At a terminal, with a history in the test's folder and nobody's preferences.
    ProgramSetup atTerminal() {
        ProgramSetup interactive = setup({"--interactive"});
        interactive.environment = {{"TERM", "xterm"}, {"HOME", path("home")}, {"XDG_STATE_HOME", path("state")}};
        return interactive;
    }

    // Whether a signal is something that the process has a function for.
    static bool catches(pid_t pid, int signal) {
        std::ifstream status("/proc/" + std::to_string(pid) + "/status");
        for (std::string line; std::getline(status, line);) {
            if (line.starts_with("SigCgt:")) {
                return (std::stoull(line.substr(7), nullptr, 16) >> (signal - 1) & 1U) != 0;
            }
        }
        return false;
    }

    // Types Ctrl-C once the tool acts on it, and waits until it has.
    static void interrupt(const Terminal& terminal) {
        ASSERT_TRUE(eventually([&] { return catches(terminal.pid(), SIGINT); })) << "Ctrl-C would end the tool";
        terminal.type(kCtrlC);
        ASSERT_TRUE(eventually([&] { return !catches(terminal.pid(), SIGINT); }));
    }

    static constexpr const char* kPrompt = "\r\n> ";
    const std::string echoModel_ = "-c debug-device -b debug.input.0:uint8:4 -b debug.output.0:uint8:4 -b debug.echo:1";
};

TEST_F(LarodClientInteractive, RunsLinesOverOneConnectionWithoutAPrompt) {
    writeFile("in put", "abcd");
    const Outcome outcome = runLines("# the devices\n\n-a\nlarod-client --num-sessions\n" + echoModel_ +
                                     " \\\n-i 'in put' \\\n -o \"out put\"\n");
    EXPECT_EQ(outcome.exitStatus, 0) << outcome.err;
    EXPECT_EQ(outcome.err, "");
    const std::vector<std::string> lines = splitLines(outcome.out);
    ASSERT_GE(lines.size(), 5U) << outcome.out;
    expectLine(lines[0], R"(Connecting to larod\.\.\.)");
    expectLine(lines[1], "Connected");
    expectLine(lines[2], R"(larod-client \d+\.\d+\.\d+\. Use Ctrl-D to exit\.)");
    expectLine(lines[3], "Devices:");
    EXPECT_EQ(outcome.out.find("> "), std::string::npos) << outcome.out;
    EXPECT_EQ(outcome.out.find("Connected"), outcome.out.rfind("Connected")) << outcome.out;
    EXPECT_NE(outcome.out.find("Sessions: 1\n"), std::string::npos) << outcome.out;
    EXPECT_EQ(readFile("out put"), "abcd");
}

TEST_F(LarodClientInteractive, GoesOnAfterAnErrorAndTellsAtTheEnd) {
    const Outcome outcome = runLines("--nonsense\n-c no-such-device -b a:1\n-i 'open\n-r\n--num-sessions\n");
    EXPECT_EQ(outcome.exitStatus, 1);
    const std::vector<std::string> errors = splitLines(outcome.err);
    ASSERT_EQ(errors.size(), 4U) << outcome.err;
    expectErrorLine(errors[0], R"(.*--nonsense; --help explains \(22\))");
    expectErrorLine(errors[1], R"(.*no-such-device.* \(-9\))");
    expectErrorLine(errors[2], R"(.*' is not closed; --help explains \(22\))");
    expectErrorLine(errors[3], "this is interactive mode already.*");
    EXPECT_NE(outcome.out.find("Sessions: 1\n"), std::string::npos) << outcome.out;
}

TEST_F(LarodClientInteractive, GoesOnAfterAComparisonThatFails) {
    writeFile("in", "abcd");
    writeFile("reference", "abce");
    const Outcome outcome = runLines(echoModel_ + " -i in -o out --compare reference\n--num-sessions\n");
    expectError(outcome, 1, R"(output 0 differs from 'reference' by 1, more than the tolerance of 0 \(34\))");
    EXPECT_NE(outcome.out.find("Sessions: 1\n"), std::string::npos) << outcome.out;
}

TEST_F(LarodClientInteractive, KeepsModelsUntilItsEnd) {
    const Outcome outcome = runLines(echoModel_ + "\n" + echoModel_ + " -i '' -o out\n--list-models\n");
    EXPECT_EQ(outcome.exitStatus, 0) << outcome.err;
    EXPECT_TRUE(std::regex_search(outcome.out, std::regex("\n  *1  debug-device  private .*\n  *2  debug-device ")))
        << outcome.out;
    const Outcome after = run({"--list-models"});
    EXPECT_EQ(after.out.find("debug-device"), std::string::npos) << after.out;
}

TEST_F(LarodClientInteractive, KeepsNoModelThatConvertedAPicture) {
    example::writePng(path("p.png"), example::Image(12, 10));
    const Outcome outcome = runLines(
        "-c debug-device -b debug.input.0:uint8:1x8x8x3 -b debug.output.0:uint8:1x8x8x3 "
        "-b debug.echo:1 -i p.png -o out\n--list-models\n");
    EXPECT_EQ(outcome.exitStatus, 0) << outcome.err;
    EXPECT_NE(outcome.out.find(" debug-device "), std::string::npos) << outcome.out;
    EXPECT_EQ(outcome.out.find(" cpu-proc "), std::string::npos) << outcome.out;
}

TEST_F(LarodClientInteractive, TakesTheLastLineWithoutAnEnd) {
    EXPECT_NE(runLines("--num-sessions").out.find("Sessions: 1\n"), std::string::npos);
    EXPECT_NE(runLines("--num-sessions \\").out.find("Sessions: 1\n"), std::string::npos);
    EXPECT_EQ(runLines("").exitStatus, 0);
}

TEST_F(LarodClientInteractive, TakesOptionsLineByLine) {
    expectError(run({"-r", "-a"}), 2, ".*--list-devices goes into a line.*");
    expectError(run({"-r", "-R", "5"}), 2, ".*--rounds goes into a line.*");
    expectError(run({"-r", "stray"}), 2, ".*stray.*");
}

TEST_F(LarodClientInteractive, ReportsThatThereIsNoServiceAtOnce) {
    ProgramSetup alone = setup({"-r"});
    alone.environment["LAROD_SOCKET"] = path("nobody-listens.sock");
    expectError(runProgram(alone), 1, R"(Could not connect to larod: .* \(-6\))");
}

TEST_F(LarodClientInteractive, PromptsAtATerminalUntilCtrlD) {
    Terminal terminal(atTerminal());
    terminal.waitFor(". Use Ctrl-D to exit.\r\n> ");
    terminal.type("--num-sessions\n");
    terminal.waitFor("Sessions: 1\r\n");
    terminal.waitFor("> ");
    terminal.type("--nonsense\n");
    terminal.waitFor("ERROR:");  // and a colour ends there
    terminal.waitFor(kPrompt);
    terminal.type(kCtrlD);
    EXPECT_EQ(terminal.wait(), 0) << "an error that was seen is no failure";
}

TEST_F(LarodClientInteractive, PromptsForTheRestOfALine) {
    Terminal terminal(atTerminal());
    terminal.waitFor(kPrompt);
    terminal.type("--num-\\\n");
    terminal.waitFor("... ");
    terminal.type("sessions\n");
    terminal.waitFor("Sessions: 1\r\n");
    terminal.waitFor("> ");
    terminal.type(kUp);
    terminal.waitFor("--num-sessions");
    terminal.type("\n");
    terminal.waitFor("Sessions: 1\r\n");
}

TEST_F(LarodClientInteractive, FindsLinesOfEarlierRunsAgain) {
    {
        Terminal terminal(atTerminal());
        terminal.waitFor(kPrompt);
        terminal.type("--num-sessions\n");
        terminal.waitFor("Sessions: 1\r\n");
        terminal.waitFor("> ");
        terminal.type(kCtrlD);
        EXPECT_EQ(terminal.wait(), 0);
    }
    EXPECT_EQ(readFile("state/larod-client/history"), "--num-sessions\n");
    Terminal terminal(atTerminal());
    terminal.waitFor(kPrompt);
    terminal.type(kUp);
    terminal.waitFor("--num-sessions");
    terminal.type("\n");
    terminal.waitFor("Sessions: 1\r\n");
}

TEST_F(LarodClientInteractive, RemembersLinesWithoutAFileToo) {
    ProgramSetup nowhere = atTerminal();
    nowhere.environment["XDG_STATE_HOME"] = "/proc/no-such-folder";
    Terminal terminal(nowhere);
    terminal.waitFor(kPrompt);
    terminal.type("--num-sessions\n");
    terminal.waitFor("Sessions: 1\r\n");
    terminal.waitFor("> ");
    terminal.type(kUp);
    terminal.waitFor("--num-sessions");
    terminal.type("\n");
    terminal.waitFor("Sessions: 1\r\n");
}

TEST_F(LarodClientInteractive, CompletesOptionsDevicesAndKeys) {
    Terminal terminal(atTerminal());
    terminal.waitFor(kPrompt);
    terminal.type("-c debug-d\t-b debug.ech\t1 -i '' -o out --roun\t3\n");
    terminal.waitFor("Running job for 3 round(s)...");
    terminal.waitFor("> ");
    EXPECT_TRUE(std::filesystem::exists(path("out")));
    terminal.type("--track-\t");
    terminal.waitFor("\r\n--track-inputs   --track-outputs\r\n");
    terminal.waitFor("> --track-");
}

TEST_F(LarodClientInteractive, CompletesFileNamesWithBlanks) {
    writeFile("some folder/in put.bin", "abcd");
    Terminal terminal(atTerminal());
    terminal.waitFor(kPrompt);
    terminal.type(echoModel_ + " -o out -i som\tin\t\n");
    terminal.waitFor("Mean execution time");
    EXPECT_EQ(readFile("out"), "abcd");
}

TEST_F(LarodClientInteractive, GivesALineUpAtCtrlC) {
    Terminal terminal(atTerminal());
    terminal.waitFor(kPrompt);
    terminal.type("--nonsense");
    terminal.waitFor("--nonsense");
    terminal.type(kCtrlC);
    terminal.waitFor("^C\r\n> ");
    terminal.type("--nonsense \\\n");
    terminal.waitFor("... ");
    terminal.type(kCtrlC);
    terminal.waitFor("^C\r\n> ");
    terminal.type("--num-sessions\n");
    EXPECT_EQ(terminal.waitFor("Sessions: 1\r\n").find("ERROR"), std::string::npos);
}

TEST_F(LarodClientInteractive, StopsTheJobsOfALineAtCtrlC) {
    Terminal terminal(atTerminal());
    terminal.waitFor(kPrompt);
    for (const char* rounds : {"-R 0", "-qR 1000000000"}) {
        terminal.type(echoModel_ + " -i '' -o out " + rounds + "\n");
        terminal.waitFor("round(s)...");
        terminal.type(kCtrlC);
        terminal.waitFor("Mean execution time for job: ");
        terminal.waitFor("> ");
    }
    terminal.type(kCtrlD);
    EXPECT_EQ(terminal.wait(), 0);
}

TEST_F(LarodClientInteractive, GivesALineUpAtCtrlCWhenItsModelHasLoaded) {
    Terminal terminal(atTerminal());
    terminal.waitFor(kPrompt);
    ASSERT_TRUE(eventually([&] { return service().sessionPids().size() == 1; }));
    const pid_t session = service().sessionPids().front();
    ASSERT_EQ(::kill(session, SIGSTOP), 0);  // so that the load takes until Ctrl-C has come
    terminal.type(echoModel_ + " -i '' -o out\n");
    ASSERT_NO_FATAL_FAILURE(interrupt(terminal));
    ASSERT_EQ(::kill(session, SIGCONT), 0);
    terminal.waitFor(" Interrupted: the model that was loading meanwhile is not kept (4)\r\n> ");
    terminal.type("--list-models\n");
    terminal.waitFor("Models:\r\n");
    EXPECT_EQ(terminal.waitFor("> ").find("debug-device"), std::string::npos);
    EXPECT_FALSE(std::filesystem::exists(path("out")));
    terminal.type(kCtrlD);
    EXPECT_EQ(terminal.wait(), 0);
}

TEST_F(LarodClientInteractive, EndsAtTheSecondCtrlCWhereALoadHangs) {
    Terminal terminal(atTerminal());
    terminal.waitFor(kPrompt);
    terminal.type("-c debug-device -b debug.load:hang\n");
    ASSERT_NO_FATAL_FAILURE(interrupt(terminal));
    terminal.type(kCtrlC);
    EXPECT_EQ(terminal.wait(), -1);
}

TEST_F(LarodClientInteractive, WaitsForPowerUntilCtrlC) {
    Terminal terminal(atTerminal());
    terminal.waitFor(kPrompt);
    terminal.type("-c debug-device -b debug.load.power-refusals:1000\n");
    terminal.waitFor("There is no power ");
    terminal.type(kCtrlC);
    terminal.waitFor("power is refused");
    const std::string refusal = terminal.waitFor(kPrompt);
    EXPECT_EQ(refusal.find("to load 51 of"), std::string::npos) << "it waited as long as it can: " << refusal;
    terminal.type(kCtrlD);
    EXPECT_EQ(terminal.wait(), 0);
}

TEST_F(LarodClientInteractive, HasPointsInEveryLanguage) {
    const GermanLocale german;
    ProgramSetup interactive = atTerminal();
    interactive.environment.merge(german.environment());
    writeFile("in", "abcd");
    Terminal terminal(interactive);
    terminal.waitFor(kPrompt);
    terminal.type(echoModel_ + " -i in -o out --compare in --tolerance 0.5 --rate 999.5\n");
    const std::string before = terminal.waitFor("Mean execution time for job: ");
    EXPECT_NE(before.find("4 of 4 elements equal (100.000 %)"), std::string::npos) << before;
    const std::string mean = terminal.waitFor(" ms\r\n");
    EXPECT_TRUE(std::regex_match(mean, std::regex(R"(\d+\.\d\d ms\r\n)"))) << mean;
}

}  // namespace
}  // namespace larod::test
