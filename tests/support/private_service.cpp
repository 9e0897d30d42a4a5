// SPDX-License-Identifier: Apache-2.0
#include "support/private_service.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <stdexcept>
#include <utility>

#include "support/process_tree.h"

namespace larod::test {
namespace {

constexpr int kPollStepMs = 5;
constexpr int kPatienceMs = 60'000;

}  // namespace

bool pollOnce(int attempt) {
    ::poll(nullptr, 0, kPollStepMs);
    return attempt < kPatienceMs / kPollStepMs;
}

PrivateService::PrivateService(std::vector<std::string> options) : socketPath_(directory_.path() + "/larod.sock") {
    int ready[2] = {-1, -1};
    log_.reset(::memfd_create("log", MFD_CLOEXEC));
    if (::pipe2(ready, O_CLOEXEC) != 0) {
        throw std::runtime_error("no pipe");
    }
    UniqueFd readEnd(ready[0]);
    UniqueFd writeEnd(ready[1]);
    std::vector<std::string> arguments = {LAROD_SERVICE_PATH, "--socket", socketPath_, "--log-level", "debug",
                                          "--config",         "/dev/null"};
    if (LAROD_SANITIZED) {
        arguments.emplace_back("--sandbox=off");
    }
    arguments.insert(arguments.end(), options.begin(), options.end());
    std::vector<char*> argv;
    for (std::string& argument : arguments) {
        argv.push_back(argument.data());
    }
    argv.push_back(nullptr);
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (::getppid() != parent) {
            ::_exit(1);
        }
        ::dup2(writeEnd.get(), STDOUT_FILENO);
        ::dup2(log_.get(), STDERR_FILENO);
        // A crash that a test asks for is to end the session by its signal, not by the sanitizer's exit.
        const std::string crashes = "handle_segv=0:handle_abort=0:handle_sigbus=0:handle_sigill=0:";
        for (const auto& [name, extra] :
             {std::pair("ASAN_OPTIONS", "abort_on_error=1"), std::pair("TSAN_OPTIONS", "halt_on_error=1")}) {
            const char* given = ::getenv(name);
            ::setenv(name, (crashes + extra + (given == nullptr ? "" : std::string(":") + given)).c_str(), 1);
        }
        ::execv(argv[0], argv.data());
        ::_exit(127);
    }
    writeEnd.reset();
    char byte = 0;
    while (::read(readEnd.get(), &byte, 1) == 1 && byte != '\n') {
        readyLine_ += byte;
    }
    if (byte != '\n') {
        throw std::runtime_error("the service did not start: " + log());
    }
    ::setenv("LAROD_SOCKET", socketPath_.c_str(), 1);
}

PrivateService::~PrivateService() {
    if (pid_ > 0) {
        signal(SIGTERM);
        const int status = wait();
        if (status != 0) {
            std::fprintf(stderr, "the service ended with wait status %#x; its log:\n%s\n",
                         static_cast<unsigned>(status), log().c_str());
            std::abort();  // a destructor can't fail a test in another way
        }
    }
}

std::string PrivateService::log() const {
    struct stat status = {};
    ::fstat(log_.get(), &status);
    std::string text(static_cast<size_t>(status.st_size), '\0');
    const ssize_t got = ::pread(log_.get(), text.data(), text.size(), 0);
    text.resize(got < 0 ? 0 : static_cast<size_t>(got));
    return text;
}

pid_t PrivateService::spawnerPid() const {
    const auto children = childrenOf(pid_);
    return children.empty() ? -1 : children.front();
}

std::vector<pid_t> PrivateService::sessionPids() const {
    const pid_t spawner = spawnerPid();
    return spawner < 0 ? std::vector<pid_t>() : childrenOf(spawner);
}

void PrivateService::signal(int number) const {
    ::kill(pid_, number);
}

int PrivateService::wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return status;
}

}  // namespace larod::test
