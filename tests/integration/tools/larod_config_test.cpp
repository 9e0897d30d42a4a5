// SPDX-License-Identifier: Apache-2.0
// larod as a process with a configuration file, right and wrong.
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "integration/tools/program.h"
#include "support/private_service.h"

namespace larod::test {
namespace {

class LarodConfig : public testing::Test {
  protected:
    [[nodiscard]] std::string write(const std::string& text) const {
        const std::string path = folder_.path() + "/larod.toml";
        std::ofstream(path) << text;
        return path;
    }
    [[nodiscard]] std::string socket() const { return folder_.path() + "/larod.sock"; }

    // The service where it can't start.
    [[nodiscard]] static Outcome start(std::vector<std::string> options) {
        options.insert(options.begin(), LAROD_SERVICE_PATH);
        return runProgram({.arguments = std::move(options), .environment = {}});
    }

  private:
    TempDir folder_;
};

TEST_F(LarodConfig, IsWhatTheServiceStartsWith) {
    std::string text = "socket = '" + socket() + "'\nlog-level = 'debug'\nthreads = 1\n";
    if (LAROD_SANITIZED) {
        text += "sandbox = 'off'\n";
    }
    Program service(
        {.arguments = {LAROD_SERVICE_PATH, "--config", write(text)}, .environment = {{"LAROD_SOCKET", ""}}});
    EXPECT_NE(service.waitForOutput("\n").find(socket()), std::string::npos);
    const Outcome listed =
        runProgram({.arguments = {LAROD_CLIENT_PATH, "-a"}, .environment = {{"LAROD_SOCKET", socket()}}});
    EXPECT_EQ(listed.exitStatus, 0) << listed.err;
    service.signal(SIGTERM);
    const Outcome outcome = service.wait();
    EXPECT_EQ(outcome.exitStatus, 0);
    EXPECT_NE(outcome.err.find(" debug: "), std::string::npos) << outcome.err;
}

TEST_F(LarodConfig, EndsTheProgramWithStatus2WhereItIsWrong) {
    const std::string path = write("threads = 1\nlog-levels = 'debug'\n");
    const Outcome outcome = start({"--config", path, "--socket", socket()});
    EXPECT_EQ(outcome.exitStatus, 2);
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(outcome.err.rfind("larod: " + path + ":2:1: there is no setting 'log-levels'; ", 0), 0U) << outcome.err;
}

TEST_F(LarodConfig, MustBeThereWhereItIsNamed) {
    const Outcome outcome = start({"--config", "/nobody/has/this.toml", "--socket", socket()});
    EXPECT_EQ(outcome.exitStatus, 2);
    EXPECT_EQ(outcome.err,
              "larod: can't read the configuration file '/nobody/has/this.toml': No such file or directory\n");
}

TEST_F(LarodConfig, OfLarodRunIsItsServices) {
    const std::string wrong = write("threads = 0\n");
    const Outcome refused =
        runProgram({.arguments = {LAROD_RUN_PATH, "--config", wrong, "--", "true"}, .environment = {}});
    EXPECT_EQ(refused.exitStatus, 125);
    EXPECT_NE(refused.err.find(wrong + ":1:11: threads: "), std::string::npos) << refused.err;
}

}  // namespace
}  // namespace larod::test
