// SPDX-License-Identifier: Apache-2.0
// larod-client as a process beside a service, for its tests.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <regex>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "integration/tools/program.h"
#include "support/private_service.h"
#include "support/temp_dir.h"

namespace larod::test {

inline constexpr const char* kStamp = R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3} )";

inline std::vector<std::string> splitLines(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) {
        lines.push_back(line);
    }
    return lines;
}

inline void expectLine(const std::string& line, const std::string& pattern) {
    EXPECT_TRUE(std::regex_match(line, std::regex(kStamp + pattern))) << line << "\nis not: " << pattern;
}

// `pattern`: of the whole text, with its code at the end.
inline void expectErrorLine(const std::string& line, const std::string& pattern) {
    expectLine(line, R"(ERROR: .* \(-?[1-9]\d*\))");
    expectLine(line, "ERROR: " + pattern);
}

inline void expectError(const Outcome& outcome, int exitStatus, const std::string& pattern) {
    EXPECT_EQ(outcome.exitStatus, exitStatus) << outcome.out << outcome.err;
    const std::vector<std::string> lines = splitLines(outcome.err);
    ASSERT_EQ(lines.size(), 1U) << outcome.err;
    expectErrorLine(lines[0], pattern);
}

// A service, and a folder in which larod-client runs.
class LarodClient : public testing::Test {
  protected:
    Outcome run(std::vector<std::string> arguments) { return runProgram(setup(std::move(arguments))); }

    ProgramSetup setup(std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), LAROD_CLIENT_PATH);
        return {.arguments = std::move(arguments), .environment = {}, .directory = folder_.path()};
    }

    // Arguments for a debug-device model with one input and one output of `dims`, which echoes.
    static std::vector<std::string> echo(const std::string& dims, std::vector<std::string> more) {
        std::vector<std::string> arguments = {"-c", "debug-device",           "-b", "debug.input.0:" + dims,
                                              "-b", "debug.output.0:" + dims, "-b", "debug.echo:1"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return arguments;
    }

    // A service with other options.
    void restart(std::vector<std::string> options) {
        service_.reset();
        service_ = std::make_unique<PrivateService>(std::move(options));
    }
    [[nodiscard]] const PrivateService& service() const { return *service_; }

    [[nodiscard]] std::string path(const std::string& name) const { return folder_.path() + "/" + name; }

    void writeFile(const std::string& name, const std::string& content) const {
        std::filesystem::create_directories(std::filesystem::path(path(name)).parent_path());
        std::ofstream(path(name), std::ios::binary) << content;
    }

    [[nodiscard]] std::string readFile(const std::string& name) const {
        std::ifstream file(path(name), std::ios::binary);
        EXPECT_TRUE(file.is_open()) << name;
        return {std::istreambuf_iterator<char>(file), {}};
    }

  private:
    std::unique_ptr<PrivateService> service_ = std::make_unique<PrivateService>();
    TempDir folder_;
};

}  // namespace larod::test
