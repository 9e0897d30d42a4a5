// SPDX-License-Identifier: Apache-2.0
// larod-run as a process: exit statuses, and that nothing is left, whoever ends first and however.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "integration/tools/program.h"
#include "support/private_service.h"
#include "support/process_tree.h"

namespace larod::test {
namespace {

namespace fs = std::filesystem;

// A folder in which the private services of a test have theirs.
class LarodRun : public testing::Test {
  protected:
    [[nodiscard]] ProgramSetup setup(std::vector<std::string> command, std::vector<std::string> options = {}) const {
        if (LAROD_SANITIZED) {
            options.insert(options.end(), {"--sandbox", "off"});
        }
        options.emplace_back("--");
        options.insert(options.begin(), LAROD_RUN_PATH);
        options.insert(options.end(), command.begin(), command.end());
        return {.arguments = std::move(options), .environment = {{"XDG_RUNTIME_DIR", folder_.path()}}};
    }

    [[nodiscard]] Outcome run(std::vector<std::string> command) const { return runProgram(setup(std::move(command))); }

    [[nodiscard]] const std::string& folder() const { return folder_.path(); }

    [[nodiscard]] bool nothingIsLeft() const { return fs::is_empty(folder_.path()); }

    // A stand-in for the service; its arguments are --socket PATH and more.
    [[nodiscard]] std::string writeService(const std::string& script) const {
        const std::string path = services_.path() + "/larod";
        std::ofstream(path) << "#!/bin/sh\n" << script;
        ::chmod(path.c_str(), 0755);
        return path;
    }

  private:
    TempDir folder_;
    TempDir services_;
};

// larod-run with a command that waits for a line, and its service.
class Running {
  public:
    explicit Running(const ProgramSetup& setup) : program_(setup) {
        const std::string output = program_.waitForOutput("\n");
        command_ = std::stoi(output);
        for (const pid_t child : childrenOf(program_.pid())) {
            if (child != command_) {
                service_ = child;
            }
        }
        EXPECT_GT(service_, 0) << "no service runs";
    }

    Program& program() { return program_; }
    [[nodiscard]] pid_t command() const { return command_; }
    [[nodiscard]] pid_t service() const { return service_; }

  private:
    Program program_;
    pid_t command_ = -1;
    pid_t service_ = -1;
};

// Prints its process id and waits for a line.
std::vector<std::string> waitingCommand(const std::string& afterwards = "exit 0") {
    return {"sh", "-c", "echo $$; read line; " + afterwards};
}

TEST_F(LarodRun, PassesTheExitStatusOn) {
    for (const int status : {0, 1, 7, 255}) {
        EXPECT_EQ(run({"sh", "-c", "exit " + std::to_string(status)}).exitStatus, status);
    }
    EXPECT_TRUE(nothingIsLeft());
}

TEST_F(LarodRun, ExitsWith128PlusTheSignalThatEndedTheCommand) {
    EXPECT_EQ(run({"sh", "-c", "kill -KILL $$"}).exitStatus, 128 + SIGKILL);
    EXPECT_EQ(run({"sh", "-c", "kill -TERM $$"}).exitStatus, 128 + SIGTERM);
    EXPECT_TRUE(nothingIsLeft());
}

TEST_F(LarodRun, GivesTheCommandAServiceOfItsOwn) {
    const Outcome outcome = run({LAROD_CLIENT_PATH, "-a"});
    EXPECT_EQ(outcome.exitStatus, 0) << outcome.err;
    EXPECT_NE(outcome.out.find("debug-device"), std::string::npos) << outcome.out;
    EXPECT_TRUE(nothingIsLeft());
}

TEST_F(LarodRun, LeavesArgumentsAndStreamsToTheCommand) {
    const Outcome outcome = run({"sh", "-c", "echo \"$@\"; echo oops >&2", "sh", "--threads", "-a", "--", "a b"});
    EXPECT_EQ(outcome.out, "--threads -a -- a b\n");
    EXPECT_NE(outcome.err.find("oops\n"), std::string::npos);
}

TEST_F(LarodRun, MakesAFolderForThisUserAlone) {
    const Outcome outcome = run({"sh", "-c", "echo $LAROD_SOCKET; stat -c %a $(dirname $LAROD_SOCKET)"});
    EXPECT_EQ(outcome.out.rfind(folder(), 0), 0U) << outcome.out;
    EXPECT_NE(outcome.out.find("\n700\n"), std::string::npos) << outcome.out;
}

TEST_F(LarodRun, ServesTwoAtATime) {
    Running first(setup(waitingCommand()));
    EXPECT_EQ(run({LAROD_CLIENT_PATH, "-a"}).exitStatus, 0);
    first.program().write("\n");
    EXPECT_EQ(first.program().wait().exitStatus, 0);
    EXPECT_TRUE(nothingIsLeft());
}

TEST_F(LarodRun, FallsBackToTmpWhereTheRuntimeFolderIsNotUsable) {
    const std::string longName = folder() + "/" + std::string(80, 'x');
    fs::create_directory(longName);
    for (const std::string& unusable : {folder() + "/missing", std::string("relative"), longName}) {
        ProgramSetup elsewhere = setup({"sh", "-c", "echo $LAROD_SOCKET"});
        elsewhere.environment["XDG_RUNTIME_DIR"] = unusable;
        const Outcome outcome = runProgram(elsewhere);
        EXPECT_EQ(outcome.exitStatus, 0) << outcome.err;
        EXPECT_EQ(outcome.out.rfind("/tmp/larod-run-", 0), 0U) << outcome.out;
        EXPECT_FALSE(fs::exists(fs::path(outcome.out).parent_path()));
    }
}

TEST_F(LarodRun, TellsWhyACommandCannotRun) {
    const Outcome absent = run({"no-such-command-anywhere"});
    EXPECT_EQ(absent.exitStatus, 127);
    EXPECT_NE(absent.err.find("no-such-command-anywhere"), std::string::npos) << absent.err;
    EXPECT_EQ(run({"/dev/null"}).exitStatus, 126);
    EXPECT_TRUE(nothingIsLeft());
}

TEST_F(LarodRun, ExitsWith125WithoutAServiceOrACommand) {
    EXPECT_EQ(runProgram(setup({})).exitStatus, 125);
    EXPECT_EQ(runProgram(setup({"true"}, {"--nonsense"})).exitStatus, 125);
    const Outcome undivided = runProgram({.arguments = {LAROD_RUN_PATH, "true"}, .environment = {}});
    EXPECT_EQ(undivided.exitStatus, 125);
    EXPECT_NE(undivided.err.find("larod-run -- COMMAND"), std::string::npos) << undivided.err;
    const Outcome absent = runProgram(setup({"true"}, {"--service", "/no/such/service"}));
    EXPECT_EQ(absent.exitStatus, 125);
    EXPECT_NE(absent.err.find("'/no/such/service'"), std::string::npos) << absent.err;
    EXPECT_NE(absent.err.find("--service names"), std::string::npos) << absent.err;
    const Outcome ended = runProgram(setup({"true"}, {"--service", "false"}));
    EXPECT_EQ(ended.exitStatus, 125);
    EXPECT_NE(ended.err.find("exited with status 1 before it was ready"), std::string::npos) << ended.err;
}

TEST_F(LarodRun, PrintsHelpAndVersion) {
    const Outcome help = runProgram({.arguments = {LAROD_RUN_PATH, "--help"}, .environment = {}});
    EXPECT_EQ(help.exitStatus, 0);
    EXPECT_NE(help.out.find("larod-run [OPTIONS] -- COMMAND"), std::string::npos) << help.out;
    const Outcome version = runProgram({.arguments = {LAROD_RUN_PATH, "--version"}, .environment = {}});
    EXPECT_EQ(version.out.rfind("larod-run ", 0), 0U) << version.out;
}

TEST_F(LarodRun, PassesOptionsOnToTheServiceThatTheEnvironmentNames) {
    const std::string service = writeService(
        "mkdir \"$(dirname \"$2\")\"\n"
        "echo \"$@\" > \"$(dirname \"$2\")/arguments\"\n"
        "trap 'rm -r \"$(dirname \"$2\")\"; exit' TERM\n"
        "echo ready\n"
        "sleep 1000 & wait\n");
    ProgramSetup passing = setup({"sh", "-c", "cat $(dirname $LAROD_SOCKET)/arguments"},
                                 {"--threads", "3", "--log-level", "debug", "--power-config", "watts.json"});
    passing.environment["LAROD_SERVICE"] = service;
    const Outcome outcome = runProgram(passing);
    EXPECT_EQ(outcome.exitStatus, 0) << outcome.err;
    for (const char* option :
         {" --config /dev/null", " --threads 3", " --log-level debug", " --power-config watts.json"}) {
        EXPECT_NE(outcome.out.find(option), std::string::npos) << option << " in " << outcome.out;
    }
    EXPECT_TRUE(nothingIsLeft());
}

TEST_F(LarodRun, GivesTheCommandAProductsDevices) {
    const Outcome outcome = runProgram(setup({LAROD_CLIENT_PATH, "-a"}, {"--profile", "artpec9"}));
    EXPECT_EQ(outcome.exitStatus, 0) << outcome.err;
    size_t place = 0;
    for (const char* device :
         {"cpu-tflite", "a9-dlpu-native", "armnn-cpu-tflite", "cpu-proc", "a9-dlpu-tflite", "a9-gpu-proc"}) {
        place = outcome.out.find(std::string(" ") + device + " ", place);
        EXPECT_NE(place, std::string::npos) << device << " in its place in " << outcome.out;
    }
    EXPECT_EQ(outcome.out.find("debug-device"), std::string::npos) << outcome.out;
}

TEST_F(LarodRun, KillsAServiceThatDoesNotEnd) {
    // Without a TERM to end it, and with a child that holds on as well.
    const std::string service = writeService(
        "trap '' TERM\n"
        "mkdir \"$(dirname \"$2\")\"\n"
        ": > \"$2\"\n"
        "echo ready\n"
        "sleep 1000 & wait\n");
    Running running(setup(waitingCommand("exit 3"), {"--service", service}));
    const WatchedProcess stubborn(running.service());
    running.program().write("\n");
    EXPECT_EQ(running.program().wait().exitStatus, 3);
    EXPECT_TRUE(stubborn.waitForEnd());
    EXPECT_TRUE(nothingIsLeft());
}

TEST_F(LarodRun, RefusesAFolderThatOthersCanEnter) {
    const std::string service = writeService(
        "mkdir \"$(dirname \"$2\")\"; chmod 755 \"$(dirname \"$2\")\"\n"
        "echo ready\n"
        "sleep 1000\n");
    const Outcome outcome = runProgram(setup({"true"}, {"--service", service}));
    EXPECT_EQ(outcome.exitStatus, 125);
    EXPECT_NE(outcome.err.find("not a folder of this user alone"), std::string::npos) << outcome.err;
}

TEST_F(LarodRun, EndsTheServiceWithTheCommand) {
    Running running(setup(waitingCommand("exit 5")));
    const WatchedProcess service(running.service());
    running.program().write("\n");
    EXPECT_EQ(running.program().wait().exitStatus, 5);
    EXPECT_TRUE(service.waitForEnd());
    EXPECT_TRUE(nothingIsLeft());
}

class LarodRunSignal : public LarodRun, public testing::WithParamInterface<int> {};

TEST_P(LarodRunSignal, ReachesTheCommandWhenSentToLarodRun) {
    Running running(setup(waitingCommand()));
    const WatchedProcess service(running.service());
    running.program().signal(GetParam());
    EXPECT_EQ(running.program().wait().exitStatus, 128 + GetParam());
    EXPECT_TRUE(service.waitForEnd());
    EXPECT_TRUE(nothingIsLeft());
}

TEST_P(LarodRunSignal, LeavesTheLastWordToACommandThatHandlesIt) {
    const std::string name = std::to_string(GetParam());
    Running running(setup({"sh", "-c", "trap 'exit 9' " + name + "; echo $$; read line"}));
    running.program().signal(GetParam());
    EXPECT_EQ(running.program().wait().exitStatus, 9);
    EXPECT_TRUE(nothingIsLeft());
}

TEST_P(LarodRunSignal, EndsAllWhenSentToTheWholeJobAsATerminalDoes) {
    ProgramSetup job = setup(waitingCommand());
    job.ownGroup = true;
    Running running(job);
    const WatchedProcess service(running.service());
    ASSERT_EQ(::kill(-running.program().pid(), GetParam()), 0);
    EXPECT_EQ(running.program().wait().exitStatus, 128 + GetParam());
    EXPECT_TRUE(service.waitForEnd());
    EXPECT_TRUE(nothingIsLeft());
}

INSTANTIATE_TEST_SUITE_P(Each, LarodRunSignal, testing::Values(SIGINT, SIGTERM, SIGHUP),
                         [](const auto& test) { return std::string(::sigabbrev_np(test.param)); });

TEST_F(LarodRun, TakesServiceAndCommandAlongWhenItIsKilled) {
    Running running(setup(waitingCommand()));
    const WatchedProcess service(running.service());
    const WatchedProcess command(running.command());
    running.program().signal(SIGKILL);
    EXPECT_EQ(running.program().wait().signal, SIGKILL);
    EXPECT_TRUE(service.waitForEnd());
    EXPECT_TRUE(command.waitForEnd());
    EXPECT_TRUE(nothingIsLeft());
}

TEST_F(LarodRun, LetsTheCommandGoOnWithoutAService) {
    Running running(setup(waitingCommand("exit 6")));
    const WatchedProcess service(running.service());
    service.kill();
    EXPECT_NE(running.program().waitForError("goes on without it").find("killed by signal 9"), std::string::npos);
    running.program().write("\n");
    EXPECT_EQ(running.program().wait().exitStatus, 6);
    EXPECT_TRUE(nothingIsLeft());
}

}  // namespace
}  // namespace larod::test
