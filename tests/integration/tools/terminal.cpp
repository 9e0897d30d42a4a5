// SPDX-License-Identifier: Apache-2.0
// A program at a terminal of its own, with a test in the place of the person.
#include "integration/tools/terminal.h"

#include <gtest/gtest.h>
#include <poll.h>
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

Terminal::Reading Terminal::readMore(Clock::time_point deadline) {
    pollfd readable{terminal_.get(), POLLIN, 0};
    int ready = 0;
    do {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
        ready = left > 0 ? ::poll(&readable, 1, static_cast<int>(left)) : 0;
    } while (ready < 0 && errno == EINTR);
    if (ready == 0) {
        return Reading::TimeUp;
    }
    std::array<char, 4096> buffer{};
    ssize_t got = 0;
    do {
        got = ::read(terminal_.get(), buffer.data(), buffer.size());
    } while (got < 0 && errno == EINTR);
    // EIO: nobody has the terminal open any more.
    if (got <= 0) {
        return Reading::End;
    }
    unread_.append(buffer.data(), static_cast<size_t>(got));
    return Reading::Some;
}

std::string Terminal::waitFor(const std::string& text, std::chrono::milliseconds patience) {
    const auto deadline = Clock::now() + patience;
    size_t place = 0;
    while ((place = unread_.find(text)) == std::string::npos) {
        const Reading reading = readMore(deadline);
        if (reading != Reading::Some) {
            ADD_FAILURE() << (reading == Reading::End ? "the program ended without '"
                                                      : "the time is up, and the program has not shown '")
                          << text << "', but: " << unread_;
            return std::exchange(unread_, {});
        }
    }
    const std::string before = unread_.substr(0, place + text.size());
    unread_.erase(0, before.size());
    return before;
}

int Terminal::wait(std::chrono::milliseconds patience) {
    const auto deadline = Clock::now() + patience;
    Reading reading = Reading::Some;
    while (reading == Reading::Some) {
        reading = readMore(deadline);
    }
    if (reading == Reading::TimeUp) {
        ADD_FAILURE() << "the time is up, and the program has not ended, but shown: " << unread_;
        ::kill(pid_, SIGKILL);
    }
    int status = 0;
    ::waitpid(std::exchange(pid_, -1), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace larod::test
