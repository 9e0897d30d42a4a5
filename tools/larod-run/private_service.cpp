// SPDX-License-Identifier: Apache-2.0
// A larod service on a socket of its own, for as long as the object exists.
#include "larod-run/private_service.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "larod-run/run_error.h"
#include "larod-run/wait.h"

namespace larod::tools {

namespace {

ChildSetup serviceSetup(const std::string& program, const std::vector<std::string>& arguments,
                        const std::string& socket, int stdoutFd) {
    ChildSetup setup;
    setup.arguments = {program, "--socket", socket};
    setup.arguments.insert(setup.arguments.end(), arguments.begin(), arguments.end());
    setup.service = true;
    setup.stdoutFd = stdoutFd;
    return setup;
}

}  // namespace

PrivateService::Pipe PrivateService::makePipe() {
    std::array<int, 2> fds{-1, -1};
    if (::pipe2(fds.data(), O_CLOEXEC) != 0) {
        throw errnoError("could not create a pipe");
    }
    return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

PrivateService::PrivateService(const std::string& program, const std::vector<std::string>& arguments,
                               const Signals& signals)
    : path_(chooseSocketPath()),
      stdout_(makePipe()),
      process_(serviceSetup(program, arguments, path_.socket, stdout_.writeEnd.get()), signals) {
    stdout_.writeEnd.reset();
    try {
        waitUntilReady(signals);
        checkPrivate(path_);
    } catch (const RunError&) {
        stop();
        throw;
    }
}

PrivateService::~PrivateService() {
    stop();
}

ChildEnd PrivateService::takeEnd() {
    process_.killGroup();
    return process_.reap();
}

void PrivateService::waitUntilReady(const Signals& signals) {
    const Deadline deadline = Deadline::clock::now() + kServiceStartLimit;
    while (true) {
        const auto [printed, ended, signaled, unused] = waitReadable({stdoutFd(), pidFd(), signals.fd(), -1}, deadline);
        if (signaled) {
            const int signal = static_cast<int>(signals.take().ssi_signo);
            throw RunError(kExitSignalBase + signal,
                           fmt::format("{} while the service was starting", ::sigdescr_np(signal)));
        }
        if (printed) {
            std::array<char, 4096> text{};
            const ssize_t got = ::read(stdoutFd(), text.data(), text.size());
            if (got > 0 && std::memchr(text.data(), '\n', static_cast<size_t>(got)) != nullptr) {
                return;
            }
            if (got <= 0) {
                stdout_.readEnd.reset();  // its end is told by pidFd(), or it is never ready
            }
        } else if (ended) {
            throw RunError(kExitOwnFailure, fmt::format("the service {} before it was ready", describe(takeEnd())));
        } else {
            throw RunError(kExitOwnFailure,
                           fmt::format("the service was not ready within {} s", kServiceStartLimit.count()));
        }
    }
}

void PrivateService::dropOutput() noexcept {
    std::array<char, 4096> text{};
    const ssize_t got = ::read(stdoutFd(), text.data(), text.size());
    if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN)) {
        stdout_.readEnd.reset();
    }
}

void PrivateService::stop() noexcept {
    if (process_.pid() > 0) {
        process_.sendSignal(SIGTERM);
        pollfd ended{process_.pidFd(), POLLIN, 0};
        const Deadline deadline = Deadline::clock::now() + kServiceStopGrace;
        int ready = 0;
        do {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Deadline::clock::now());
            ready = ::poll(&ended, 1, static_cast<int>(std::max<int64_t>(left.count(), 0)));
        } while (ready < 0 && errno == EINTR);
        process_.killGroup();
        static_cast<void>(process_.reap());
    }
    removeSocket(path_);
}

}  // namespace larod::tools
