// SPDX-License-Identifier: Apache-2.0
// A child that ends with its parent.
#include "larod-run/child_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <system_error>

#include "larod-run/run_error.h"

namespace larod::tools {

namespace {

// glibc 2.36 has wrappers for these; older ones don't.
int pidfdOpen(pid_t pid) {
    return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
}

// The parent's side of the fork is single-threaded, so the child may use what it likes before exec.
[[noreturn]] void runChild(const ChildSetup& setup, const Signals& signals, pid_t parent, int errorPipe) {
    if (setup.service) {
        ::setpgid(0, 0);
        ::umask(077);
        const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
        if (null < 0 || ::dup2(null, STDIN_FILENO) < 0 || ::dup2(setup.stdoutFd, STDOUT_FILENO) < 0) {
            const int errnum = errno;
            static_cast<void>(!::write(errorPipe, &errnum, sizeof errnum));
            ::_exit(kExitOwnFailure);
        }
    }
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent) {
        ::_exit(kExitOwnFailure);  // the parent died before the kernel knew what to do then
    }
    if (setup.larodSocket) {
        // NOLINTNEXTLINE(concurrency-mt-unsafe): a forked child has one thread
        ::setenv("LAROD_SOCKET", setup.larodSocket->c_str(), 1);
    }
    std::vector<char*> arguments;
    arguments.reserve(setup.arguments.size() + 1);
    for (const std::string& argument : setup.arguments) {
        arguments.push_back(const_cast<char*>(argument.c_str()));
    }
    arguments.push_back(nullptr);
    signals.restoreMask();
    ::execvp(arguments[0], arguments.data());
    const int errnum = errno;
    static_cast<void>(!::write(errorPipe, &errnum, sizeof errnum));
    ::_exit(kExitOwnFailure);
}

}  // namespace

std::string describe(const ChildEnd& end) {
    return end.signaled ? fmt::format("was killed by signal {} ({})", end.value, ::sigdescr_np(end.value))
                        : fmt::format("exited with status {}", end.value);
}

ChildProcess::ChildProcess(const ChildSetup& setup, const Signals& signals) : service_(setup.service) {
    int pipeFds[2] = {-1, -1};
    if (::pipe2(pipeFds, O_CLOEXEC) != 0) {
        throw errnoError("could not create a pipe");
    }
    UniqueFd readEnd(pipeFds[0]);
    UniqueFd writeEnd(pipeFds[1]);
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ < 0) {
        throw errnoError("could not start a process");
    }
    if (pid_ == 0) {
        runChild(setup, signals, parent, writeEnd.get());
    }
    writeEnd.reset();
    // exec closes the child's end of the pipe; an error number comes when there was no exec.
    int errnum = 0;
    ssize_t got = -1;
    do {
        got = ::read(readEnd.get(), &errnum, sizeof errnum);
    } while (got < 0 && errno == EINTR);
    if (got == static_cast<ssize_t>(sizeof errnum)) {
        static_cast<void>(reap());
        int exitStatus = errnum == ENOENT || errnum == ENOTDIR ? kExitNotFound : kExitCannotExecute;
        std::string what =
            fmt::format("could not execute '{}': {}", setup.arguments.front(), std::generic_category().message(errnum));
        if (setup.service) {
            exitStatus = kExitOwnFailure;
            what += "; --service names the service's program";
        }
        throw RunError(exitStatus, what);
    }
    pidFd_.reset(pidfdOpen(pid_));
    if (!pidFd_) {
        const int openError = errno;
        sendSignal(SIGKILL);
        static_cast<void>(reap());
        errno = openError;
        throw errnoError("could not watch a process (pidfd_open, Linux 5.3)");
    }
}

ChildProcess::~ChildProcess() {
    if (pid_ > 0) {
        sendSignal(SIGKILL);
        killGroup();
        static_cast<void>(reap());
    }
}

void ChildProcess::sendSignal(int signal) const noexcept {
    if (pid_ > 0) {
        ::kill(pid_, signal);  // ours and not reaped, so the number is still its
    }
}

void ChildProcess::killGroup() const noexcept {
    if (service_ && pid_ > 0) {
        ::kill(-pid_, SIGKILL);
    }
}

ChildEnd ChildProcess::reap() {
    siginfo_t info{};
    while (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED) != 0 && errno == EINTR) {
    }
    pid_ = -1;
    return {info.si_code != CLD_EXITED, info.si_status};
}

}  // namespace larod::tools
