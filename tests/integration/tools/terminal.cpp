// SPDX-License-Identifier: Apache-2.0
// A program at a terminal of its own, with a test in the place of the person.
#include "integration/tools/terminal.h"

#include <gtest/gtest.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>
#include <vector>

namespace larod::test {

Terminal::Terminal(const ProgramSetup& setup) {
    std::vector<std::string> arguments = setup.arguments;
    std::vector<std::string> environment = mergedEnvironment(setup.environment);
    const std::vector<char*> argumentPointers = pointersTo(arguments);
    const std::vector<char*> environmentPointers = pointersTo(environment);
    winsize size{};
    size.ws_row = 24;
    size.ws_col = 80;
    int terminal = -1;
    pid_ = ::forkpty(&terminal, nullptr, nullptr, &size);
    if (pid_ == 0) {
        if (::chdir(setup.directory.c_str()) == 0) {
            ::execve(argumentPointers[0], argumentPointers.data(), environmentPointers.data());
        }
        ::_exit(127);
    }
    if (pid_ < 0) {
        throw std::system_error(errno, std::generic_category(), "forkpty");
    }
    terminal_.reset(terminal);
}

Terminal::~Terminal() {
    if (pid_ > 0) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
}

void Terminal::type(const std::string& keys) const {
    ASSERT_EQ(::write(terminal_.get(), keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
}

bool Terminal::readMore() {
    std::array<char, 4096> buffer{};
    ssize_t got = 0;
    do {
        got = ::read(terminal_.get(), buffer.data(), buffer.size());
    } while (got < 0 && errno == EINTR);
    // EIO: nobody has the terminal open any more.
    if (got <= 0) {
        return false;
    }
    unread_.append(buffer.data(), static_cast<size_t>(got));
    return true;
}

std::string Terminal::waitFor(const std::string& text) {
    size_t place = 0;
    while ((place = unread_.find(text)) == std::string::npos) {
        if (!readMore()) {
            ADD_FAILURE() << "the program ended without '" << text << "': " << unread_;
            return std::exchange(unread_, {});
        }
    }
    const std::string before = unread_.substr(0, place + text.size());
    unread_.erase(0, before.size());
    return before;
}

int Terminal::wait() {
    while (readMore()) {
    }
    int status = 0;
    ::waitpid(std::exchange(pid_, -1), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace larod::test
