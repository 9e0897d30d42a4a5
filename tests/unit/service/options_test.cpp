// SPDX-License-Identifier: Apache-2.0
// The command line of larod: defaults, ranges, exit statuses.
#include "service/options.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>
#include <vector>

#include "larod-version.h"
#include "session/control_messages.h"
#include "support/temp_dir.h"

namespace larod::service {
namespace {

class OptionsTest : public ::testing::Test {
  protected:
    OptionsTest() { ::unsetenv("LAROD_SOCKET"); }
    ~OptionsTest() override { ::unsetenv("LAROD_SOCKET"); }

    // What is read where --config names nothing; not there until it is written.
    [[nodiscard]] std::string defaultConfig() const { return folder_.path() + "/default.toml"; }

    [[nodiscard]] std::string write(const std::string& path, const std::string& text) const {
        std::ofstream(path) << text;
        return path;
    }
    [[nodiscard]] std::string in(const std::string& name) const { return folder_.path() + "/" + name; }

    std::optional<Options> parse(std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), "larod");
        std::vector<char*> argv;
        for (std::string& argument : arguments) {
            argv.push_back(argument.data());
        }
        argv.push_back(nullptr);
        ::testing::internal::CaptureStdout();
        ::testing::internal::CaptureStderr();
        exitStatus = -1;
        auto options = parseOptions(static_cast<int>(arguments.size()), argv.data(), exitStatus, defaultConfig());
        out = ::testing::internal::GetCapturedStdout();
        err = ::testing::internal::GetCapturedStderr();
        return options;
    }

    int exitStatus = -1;
    std::string out;
    std::string err;

  private:
    const larod::test::TempDir folder_;
};

TEST_F(OptionsTest, HasADefaultForEverything) {
    const auto options = parse({});
    ASSERT_TRUE(options);
    EXPECT_EQ(options->socketPath, "/run/larod/larod.sock");
    EXPECT_GE(options->threads, 1U);
    EXPECT_EQ(options->logLevel, "info");
    EXPECT_EQ(options->sandbox, SandboxMode::On);
    EXPECT_EQ(options->jobLimitMs, 30'000U);
    EXPECT_EQ(options->sessionMemoryBytes, sessionMemoryLimit());
    EXPECT_EQ(options->dmaBufNodes.heap, "/dev/dma_heap/system");
    EXPECT_EQ(options->fenceTimeoutMs, 5'000U);
    EXPECT_TRUE(options->devices.v4l2.search);
    EXPECT_EQ(options->devices.v4l2.jobTimeoutMs, 2'000U);
    EXPECT_EQ(exitStatus, -1) << "the program goes on";
    EXPECT_EQ(out + err, "");
}

TEST_F(OptionsTest, NamesV4l2Nodes) {
    const auto one = parse({"--v4l2-nodes", "/dev/video10", "--v4l2-timeout", "50"});
    ASSERT_TRUE(one) << err;
    EXPECT_FALSE(one->devices.v4l2.search);
    EXPECT_EQ(one->devices.v4l2.nodes, std::vector<std::string>{"/dev/video10"});
    EXPECT_EQ(one->devices.v4l2.jobTimeoutMs, 50U);
    const auto two = parse({"--v4l2-nodes", "/dev/video10,/dev/video2"});
    ASSERT_TRUE(two) << err;
    EXPECT_EQ(two->devices.v4l2.nodes, (std::vector<std::string>{"/dev/video10", "/dev/video2"}));
    const auto none = parse({"--v4l2-nodes", "none"});
    ASSERT_TRUE(none) << err;
    EXPECT_FALSE(none->devices.v4l2.search);
    EXPECT_TRUE(none->devices.v4l2.nodes.empty());
    const std::string longest = "/" + std::string(session::control::kMaxNodePathLength - 1, 'x');
    EXPECT_TRUE(parse({"--v4l2-nodes", longest}));
    for (const std::string& wrong : {std::string("video10"), std::string("/dev/video1,"), std::string(",/dev/video1"),
                                     std::string("auto,/dev/video1"), longest + "x"}) {
        EXPECT_FALSE(parse({"--v4l2-nodes", wrong})) << wrong;
        EXPECT_NE(err.find("absolute paths with commas"), std::string::npos) << err;
    }
}

TEST_F(OptionsTest, ReadsThePowerConfiguration) {
    const std::string path = in("power.json");
    std::ofstream(path) << R"({"budget": 4, "devices": [{"name": "cpu", "power": 3}]})";
    const auto options = parse({"--power-config", path});
    ASSERT_TRUE(options);
    ASSERT_TRUE(options->power);
    EXPECT_EQ(options->power->budget, 4000U);
    ASSERT_TRUE(parse({}));
    EXPECT_FALSE(parse({})->power) << "nobody controls the power then";

    std::ofstream(path) << R"({"budget": "4"})";
    EXPECT_FALSE(parse({"--power-config", path}));
    EXPECT_EQ(exitStatus, 2);
    EXPECT_EQ(err, "larod: --power-config: " + path +
                       R"(: /budget: expected watts, a number from 0 to 10000, not "4")" + "\n");
}

TEST_F(OptionsTest, TakesAllOptions) {
    const auto options = parse({"--socket", "/somewhere/s", "--threads=3", "--job-limit", "1500", "--log-level",
                                "debug", "--sandbox=off", "--profile", "cv25", "--session-memory", "7", "--dma-heap",
                                "linux,cma", "--fence-timeout", "77"});
    ASSERT_TRUE(options);
    EXPECT_EQ(options->socketPath, "/somewhere/s");
    EXPECT_EQ(options->threads, 3U);
    EXPECT_EQ(options->jobLimitMs, 1500U);
    EXPECT_EQ(options->logLevel, "debug");
    EXPECT_EQ(options->sandbox, SandboxMode::Off);
    EXPECT_EQ(options->devices.profile, device::findProfile("cv25"));
    EXPECT_EQ(options->sessionMemoryBytes, 7U << 20U);
    EXPECT_EQ(options->dmaBufNodes.heap, "/dev/dma_heap/linux,cma");
    EXPECT_EQ(options->fenceTimeoutMs, 77U);
    EXPECT_EQ(parse({"--dma-heap", "./here"})->dmaBufNodes.heap, "./here") << "a path";
}

TEST_F(OptionsTest, TakesTheSocketFromTheEnvironmentUnlessToldOtherwise) {
    ::setenv("LAROD_SOCKET", "/elsewhere/larod.sock", 1);
    EXPECT_EQ(parse({})->socketPath, "/elsewhere/larod.sock");
    EXPECT_EQ(parse({"--socket", "/somewhere/s"})->socketPath, "/somewhere/s");
    ::setenv("LAROD_SOCKET", "", 1);
    EXPECT_EQ(parse({})->socketPath, "/run/larod/larod.sock");
}

TEST_F(OptionsTest, PrintsHelpWithEachOptionAndEndsWithStatus0) {
    EXPECT_FALSE(parse({"--help"}));
    EXPECT_EQ(exitStatus, 0);
    for (const char* option : {"--config", "--socket", "--threads", "--job-limit", "--session-memory", "--dma-heap",
                               "--fence-timeout", "--power-config", "--log-level", "--sandbox", "--version"}) {
        EXPECT_NE(out.find(option), std::string::npos) << option << " in " << out;
    }
    EXPECT_EQ(err, "");
}

TEST_F(OptionsTest, PrintsTheVersionAndEndsWithStatus0) {
    EXPECT_FALSE(parse({"--version"}));
    EXPECT_EQ(exitStatus, 0);
    EXPECT_EQ(out, "larod " OPENLAROD_VERSION_STRING " (interface " LAROD_VERSION_STRING ")\n");
    EXPECT_EQ(err, "");
}

TEST_F(OptionsTest, AcceptsTheEndsOfEachRange) {
    EXPECT_EQ(parse({"--threads", "1"})->threads, 1U);
    EXPECT_EQ(parse({"--threads", "1024"})->threads, 1024U);
    EXPECT_EQ(parse({"--job-limit", "1"})->jobLimitMs, 1U);
    EXPECT_EQ(parse({"--job-limit", "3600000"})->jobLimitMs, 3'600'000U);
    for (const char* level : {"trace", "debug", "info", "warn", "error", "off"}) {
        EXPECT_EQ(parse({"--log-level", level})->logLevel, level);
    }
}

struct Wrong {
    std::vector<std::string> arguments;
    const char* named;  // what the message names
};

class WrongOptions : public OptionsTest, public ::testing::WithParamInterface<Wrong> {};

TEST_P(WrongOptions, EndWithStatus2AndAMessageOnStderr) {
    EXPECT_FALSE(parse(GetParam().arguments));
    EXPECT_EQ(exitStatus, 2);
    EXPECT_NE(err.find(GetParam().named), std::string::npos) << err;
    EXPECT_EQ(out, "");
}

INSTANTIATE_TEST_SUITE_P(
    Values, WrongOptions,
    ::testing::Values(Wrong{{"--threads", "0"}, "--threads"}, Wrong{{"--threads", "1025"}, "--threads"},
                      Wrong{{"--threads", "-1"}, "--threads"}, Wrong{{"--threads", "two"}, "--threads"},
                      Wrong{{"--threads", "2x"}, "--threads"}, Wrong{{"--threads"}, "--threads"},
                      Wrong{{"--job-limit", "0"}, "--job-limit"}, Wrong{{"--job-limit", "3600001"}, "--job-limit"},
                      Wrong{{"--job-limit", "99999999999999999999"}, "--job-limit"},
                      Wrong{{"--log-level", "loud"}, "--log-level"}, Wrong{{"--sandbox", "maybe"}, "--sandbox"},
                      Wrong{{"--socket"}, "--socket"}, Wrong{{"--port", "1"}, "--port"}, Wrong{{"extra"}, "extra"},
                      Wrong{{"--socket", ""}, "--socket"}, Wrong{{"--config", ""}, "--config"},
                      Wrong{{"--config"}, "--config"},
                      Wrong{{"--config", "/nobody/has/this.toml"}, "/nobody/has/this.toml"},
                      Wrong{{"--config", "/tmp"}, "'/tmp': Is a directory"}));

TEST_F(OptionsTest, NamesItselfAndWhatIsAllowedWhereAValueIsWrong) {
    EXPECT_FALSE(parse({"--threads", "0"}));
    EXPECT_EQ(err, "larod: --threads: expected a whole number from 1 to 1024, got '0'\n");
    EXPECT_FALSE(parse({"--sandbox", "maybe"}));
    EXPECT_EQ(err, "larod: --sandbox: expected one of 'on', 'off', got 'maybe'\n");
    EXPECT_FALSE(parse({"--port", "1"}));
    EXPECT_EQ(err.rfind("larod: ", 0), 0U) << err;
}

TEST_F(OptionsTest, TakesTheLastOfTwo) {
    EXPECT_EQ(parse({"--threads", "1", "--threads", "2"})->threads, 2U);
    const std::string file = write(in("a.toml"), "threads = 3");
    EXPECT_EQ(parse({"--config", "/nobody/has/this.toml", "--config", file})->threads, 3U);
}

TEST_F(OptionsTest, TakesWhatTheNamedFileSaysUnlessToldOtherwise) {
    const std::string file = write(in("a.toml"),
                                   "socket = '/of/the/file'\nthreads = 3\njob-limit = 17\nlog-level = 'warn'\n"
                                   "sandbox = 'off'\n");
    const auto options = parse({"--config", file});
    ASSERT_TRUE(options) << err;
    EXPECT_EQ(options->socketPath, "/of/the/file");
    EXPECT_EQ(options->threads, 3U);
    EXPECT_EQ(options->jobLimitMs, 17U);
    EXPECT_EQ(options->logLevel, "warn");
    EXPECT_EQ(options->sandbox, SandboxMode::Off);

    const auto told = parse({"--threads", "5", "--config", file, "--sandbox=on"});
    ASSERT_TRUE(told) << err;
    EXPECT_EQ(told->threads, 5U);
    EXPECT_EQ(told->sandbox, SandboxMode::On);
    EXPECT_EQ(told->jobLimitMs, 17U);
}

TEST_F(OptionsTest, TakesTheSocketOfTheEnvironmentBeforeTheFiles) {
    const std::string file = write(in("a.toml"), "socket = '/of/the/file'");
    ::setenv("LAROD_SOCKET", "/of/the/environment", 1);
    EXPECT_EQ(parse({"--config", file})->socketPath, "/of/the/environment");
    EXPECT_EQ(parse({"--config", file, "--socket", "/told"})->socketPath, "/told");
}

TEST_F(OptionsTest, ReadsTheDefaultFileOnlyWhereNoneIsNamed) {
    const std::string ignored = write(defaultConfig(), "threads = 3");
    EXPECT_EQ(parse({})->threads, 3U);
    EXPECT_EQ(parse({"--config", write(in("a.toml"), "job-limit = 1")})->threads,
              parse({"--config", "/dev/null"})->threads);
}

TEST_F(OptionsTest, TakesNoProfileBeforeTheFiles) {
    const std::string file = write(in("a.toml"), "profile = 'artpec8'");
    EXPECT_EQ(parse({"--config", file})->devices.profile, device::findProfile("artpec8"));
    EXPECT_EQ(parse({"--config", file, "--profile", "none"})->devices.profile, nullptr);
}

TEST_F(OptionsTest, ChecksTheFilesAliasesAgainstTheProfileThatCounts) {
    const std::string file = write(in("a.toml"), "[alias]\nmine = 'axis-ace-proc'\n");
    EXPECT_EQ(parse({"--config", file, "--profile", "artpec8"})->devices.aliases.size(), 1U);
    EXPECT_FALSE(parse({"--config", file}));
    EXPECT_EQ(exitStatus, 2);
    EXPECT_EQ(err.rfind("larod: " + file + ":2:1: alias 'mine': there is no device 'axis-ace-proc'; ", 0), 0U) << err;
}

TEST_F(OptionsTest, EndsWithStatus2WhereAFileIsWrong) {
    const std::string ignored = write(defaultConfig(), "threads = 0");
    EXPECT_FALSE(parse({}));
    EXPECT_EQ(exitStatus, 2);
    EXPECT_EQ(err, "larod: " + defaultConfig() + ":1:11: threads: expected a whole number from 1 to 1024, got 0\n");
    EXPECT_FALSE(parse({"--threads", "1"})) << "a fault that is hidden today would come up another day";
    EXPECT_EQ(exitStatus, 2);
}

}  // namespace
}  // namespace larod::service
