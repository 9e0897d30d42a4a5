// SPDX-License-Identifier: Apache-2.0
// A program as a process of its own, with what it prints.
#include "integration/tools/program.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace larod::test {

namespace {

constexpr int kPatienceMs = 60'000;

std::pair<UniqueFd, UniqueFd> makePipe() {
    std::array<int, 2> fds{-1, -1};
    if (::pipe2(fds.data(), O_CLOEXEC) != 0) {
        throw std::system_error(errno, std::generic_category(), "pipe2");
    }
    return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

}  // namespace

std::vector<char*> pointersTo(std::vector<std::string>& strings) {
    std::vector<char*> pointers;
    for (std::string& string : strings) {
        pointers.push_back(string.data());
    }
    pointers.push_back(nullptr);
    return pointers;
}

std::vector<std::string> mergedEnvironment(const std::map<std::string, std::string>& changes) {
    std::vector<std::string> merged;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string text = *entry;
        if (!changes.contains(text.substr(0, text.find('=')))) {
            merged.push_back(text);
        }
    }
    for (const auto& [name, value] : changes) {
        merged.push_back(name + "=" + value);
    }
    return merged;
}

Program::Program(const ProgramSetup& setup) {
    auto [childIn, parentIn] = makePipe();
    auto [parentOut, childOut] = makePipe();
    auto [parentErr, childErr] = makePipe();
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, childIn.get(), STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, childOut.get(), STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, childErr.get(), STDERR_FILENO);
    posix_spawn_file_actions_addchdir_np(&actions, setup.directory.c_str());
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    if (setup.ownGroup) {
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
        posix_spawnattr_setpgroup(&attributes, 0);
    }
    std::vector<std::string> arguments = setup.arguments;
    std::vector<std::string> environment = mergedEnvironment(setup.environment);
    const int result = posix_spawnp(&pid_, arguments.front().c_str(), &actions, &attributes,
                                    pointersTo(arguments).data(), pointersTo(environment).data());
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (result != 0) {
        throw std::system_error(result, std::generic_category(), arguments.front());
    }
    stdin_ = std::move(parentIn);
    stdout_ = std::move(parentOut);
    stderr_ = std::move(parentErr);
}

Program::~Program() {
    if (pid_ > 0) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
}

void Program::signal(int number) const {
    ASSERT_EQ(::kill(pid_, number), 0);
}

std::string Program::readUntil(int fd, std::string& sofar, const std::string& text) {
    std::array<char, 4096> buffer{};
    while (sofar.find(text) == std::string::npos) {
        const ssize_t got = ::read(fd, buffer.data(), buffer.size());
        if (got <= 0) {
            ADD_FAILURE() << "the stream ended without '" << text << "': " << sofar;
            break;
        }
        sofar.append(buffer.data(), static_cast<size_t>(got));
    }
    return sofar;
}

std::string Program::waitForOutput(const std::string& text) {
    return readUntil(stdout_.get(), out_, text);
}

std::string Program::waitForError(const std::string& text) {
    return readUntil(stderr_.get(), err_, text);
}

void Program::write(const std::string& text) const {
    ASSERT_EQ(::write(stdin_.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
}

Outcome Program::wait() {
    std::array<pollfd, 2> streams = {{{stdout_.get(), POLLIN, 0}, {stderr_.get(), POLLIN, 0}}};
    std::array<char, 4096> buffer{};
    while (streams[0].fd >= 0 || streams[1].fd >= 0) {
        ::poll(streams.data(), streams.size(), -1);
        for (pollfd& stream : streams) {
            if (stream.fd >= 0 && stream.revents != 0) {
                const ssize_t got = ::read(stream.fd, buffer.data(), buffer.size());
                if (got <= 0) {
                    stream.fd = -1;
                } else {
                    (&stream == streams.data() ? out_ : err_).append(buffer.data(), static_cast<size_t>(got));
                }
            }
        }
    }
    int status = 0;
    ::waitpid(std::exchange(pid_, -1), &status, 0);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, WIFSIGNALED(status) ? WTERMSIG(status) : 0, out_, err_};
}

Outcome runProgram(const ProgramSetup& setup) {
    return Program(setup).wait();
}

WatchedProcess::WatchedProcess(pid_t pid) : pid_(pid), pidFd_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))) {
    if (!pidFd_) {
        throw std::system_error(errno, std::generic_category(), "pidfd_open");
    }
}

bool WatchedProcess::waitForEnd() const {
    pollfd ended{pidFd_.get(), POLLIN, 0};
    return ::poll(&ended, 1, kPatienceMs) == 1;
}

void WatchedProcess::kill() const {
    ASSERT_EQ(::syscall(SYS_pidfd_send_signal, pidFd_.get(), SIGKILL, nullptr, 0), 0) << pid_;
}

}  // namespace larod::test
