// SPDX-License-Identifier: Apache-2.0
// Where log lines go.
#include "base/log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/unique_fd.h"

namespace larod {
namespace {

// Puts a pipe where stderr is; the log duplicates it.
class Log : public ::testing::Test {
  protected:
    Log() : saved_(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3)) {
        std::array<int, 2> ends{};
        EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK), 0);
        read_.reset(ends[0]);
        ::dup2(ends[1], STDERR_FILENO);
        ::close(ends[1]);
    }
    ~Log() override { ::dup2(saved_.get(), STDERR_FILENO); }

    std::string written() {
        std::string text(4096, '\0');
        const ssize_t length = ::read(read_.get(), text.data(), text.size());
        text.resize(length > 0 ? static_cast<size_t>(length) : 0);
        return text;
    }

    UniqueFd saved_;
    UniqueFd read_;
};

TEST_F(Log, WritesLinesWithProcessNameAndPid) {
    initLog("info", "larod");
    log::info("ready at {}", "socket");
    const std::string line = written();
    EXPECT_NE(line.find(fmt::format("larod[{}] info: ready at socket\n", ::getpid())), std::string::npos) << line;
    renameLog("session");
    log::warn("slow");
    EXPECT_NE(written().find(fmt::format("session[{}] warning: slow\n", ::getpid())), std::string::npos);
}

TEST_F(Log, KeepsToItsLevel) {
    initLog("warn", "larod");
    log::info("hidden");
    EXPECT_EQ(written(), "");
    log::error("shown");
    EXPECT_NE(written().find("error: shown"), std::string::npos);
    initLog("off", "larod");
    log::critical("hidden");
    EXPECT_EQ(written(), "");
}

TEST_F(Log, SurvivesARedirectionOfStderr) {
    initLog("info", "larod");
    EXPECT_GT(logFd(), STDERR_FILENO);
    ::dup2(saved_.get(), STDERR_FILENO);
    log::info("still here");
    EXPECT_NE(written().find("still here"), std::string::npos);
}

TEST_F(Log, RefusesAnUnknownLevelAndNamesIt) {
    try {
        initLog("loud", "larod");
        FAIL() << "accepted";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), EINVAL);
        EXPECT_NE(error.text().find("loud"), std::string::npos);
    }
}

}  // namespace
}  // namespace larod
