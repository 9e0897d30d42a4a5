// SPDX-License-Identifier: Apache-2.0
// What the sandbox ends and refuses, each tried by a process of its own in the kernel that runs the test.
#include "session/sandbox.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <thread>

#include "unit/session/sandboxed.h"

namespace larod::session {
namespace {

using test::endText;
using test::inChild;
using test::inSandbox;

// ---- What ends the process

struct Deadly {
    const char* name;
    void (*act)();
};

void PrintTo(const Deadly& deadly, std::ostream* out) {
    *out << deadly.name;
}

class SandboxEnds : public ::testing::TestWithParam<Deadly> {};

TEST_P(SandboxEnds, TheProcess) {
    const int status = inSandbox([] {
        GetParam().act();
        return true;
    });
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) << endText(status);
}

// The same call is harmless outside: it is the filter that ends the process.
TEST_P(SandboxEnds, OnlyInside) {
    const int status = inChild([] {
        GetParam().act();
        return 0;
    });
    EXPECT_FALSE(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) << endText(status);
}

template <long call, long... arguments>
void call6() {
    ::syscall(call, arguments...);
}

void mapExecutable() {
    ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}
void mapEverything() {
    ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}
void makeExecutable() {
    alignas(4096) static std::array<std::byte, 4096> page;
    ::mprotect(page.data(), page.size(), PROT_READ | PROT_EXEC);
}
void makeProcess() {
    if (::fork() == 0) {
        ::_exit(0);
    }
}
void cloneProcess() {
    if (::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) == 0) {
        ::_exit(0);
    }
}
void spawnProgram() {
    std::array<char, 5> name = {"true"};
    const std::array<char*, 2> argv = {name.data(), nullptr};
    pid_t pid = -1;
    ::posix_spawn(&pid, "/bin/true", nullptr, nullptr, argv.data(), nullptr);
}
void raiseOwnLimit() {
    rlimit limit = {};
    ::setrlimit(RLIMIT_CORE, &limit);
}
void limitOfAnother() {
    rlimit limit = {};
    ::prlimit(::getppid(), RLIMIT_CORE, nullptr, &limit);
}
void writeToAnother() {
    std::byte byte{};
    iovec part{&byte, 1};
    ::process_vm_writev(::getppid(), &part, 1, &part, 1, 0);
}
void askTerminal() {
    winsize size;
    ::ioctl(0, TIOCGWINSZ, &size);
}

INSTANTIATE_TEST_SUITE_P(
    Files, SandboxEnds,
    ::testing::Values(Deadly{"open", [] { ::open("/dev/null", O_RDONLY); }},
                      Deadly{"openat", [] { ::openat(AT_FDCWD, "/dev/null", O_RDONLY); }},
                      Deadly{"unlink", [] { ::unlink("/nowhere/to/be/found"); }},
                      Deadly{"mkdir", [] { ::mkdir("/proc/nowhere", 0700); }},
                      Deadly{"chdir", [] { [[maybe_unused]] const int result = ::chdir("."); }},
                      Deadly{"memfd_create", [] { ::memfd_create("x", 0); }},
                      Deadly{"ftruncate", [] { [[maybe_unused]] const int result = ::ftruncate(-1, 0); }},
                      Deadly{"F_SETFL", [] { ::fcntl(0, F_SETFL, ::fcntl(0, F_GETFL)); }},
                      Deadly{"F_ADD_SEALS", [] { ::fcntl(0, F_ADD_SEALS, 0); }}, Deadly{"ioctl", askTerminal}));
INSTANTIATE_TEST_SUITE_P(Sockets, SandboxEnds,
                         ::testing::Values(Deadly{"socket", [] { ::socket(AF_UNIX, SOCK_STREAM, 0); }},
                                           Deadly{"internet socket", [] { ::socket(AF_INET, SOCK_STREAM, 0); }},
                                           Deadly{"socketpair",
                                                  [] {
                                                      std::array<int, 2> fds;
                                                      ::socketpair(AF_UNIX, SOCK_STREAM, 0, fds.data());
                                                  }},
                                           Deadly{"connect", [] { ::connect(-1, nullptr, 0); }},
                                           Deadly{"bind", [] { ::bind(-1, nullptr, 0); }},
                                           Deadly{"accept", [] { ::accept(-1, nullptr, nullptr); }}));
INSTANTIATE_TEST_SUITE_P(
    Processes, SandboxEnds,
    ::testing::Values(Deadly{"fork", makeProcess}, Deadly{"clone", cloneProcess}, Deadly{"posix_spawn", spawnProgram},
                      Deadly{"execve", [] { ::execl("/nowhere/to/be/found", "x", nullptr); }},
                      Deadly{"kill", [] { ::kill(::getpid(), 0); }},
                      Deadly{"kill of the parent", [] { ::kill(::getppid(), 0); }},
                      Deadly{"tkill", [] { ::syscall(SYS_tkill, ::gettid(), 0); }},
                      Deadly{"ptrace", [] { ::ptrace(PTRACE_PEEKDATA, ::getppid(), nullptr, nullptr); }},
                      Deadly{"process_vm_writev", writeToAnother}, Deadly{"setrlimit", raiseOwnLimit},
                      Deadly{"limits of another process", limitOfAnother},
                      Deadly{"setuid", [] { [[maybe_unused]] const int result = ::setuid(::getuid()); }},
                      Deadly{"unshare", [] { ::unshare(0); }}));
INSTANTIATE_TEST_SUITE_P(Memory, SandboxEnds,
                         ::testing::Values(Deadly{"mmap for execution", mapExecutable},
                                           Deadly{"mmap for writing and execution", mapEverything},
                                           Deadly{"mprotect for execution", makeExecutable}));
INSTANTIATE_TEST_SUITE_P(Kernel, SandboxEnds,
                         ::testing::Values(Deadly{"bpf", call6<SYS_bpf, -1, 0, 0>},
                                           Deadly{"io_uring_setup", call6<SYS_io_uring_setup, 0, 0>},
                                           Deadly{"perf_event_open", call6<SYS_perf_event_open, 0, 0, -1, -1, 0>},
                                           Deadly{"userfaultfd", call6<SYS_userfaultfd, -1>},
                                           Deadly{"seccomp", call6<SYS_seccomp, -1, 0, 0>},
                                           Deadly{"keyctl", call6<SYS_keyctl, -1, 0, 0>},
                                           Deadly{"a call that does not exist", call6<100'000>}));

// ---- What is refused

struct Refusal {
    const char* name;
    long (*act)();
    int error;
};

void PrintTo(const Refusal& refusal, std::ostream* out) {
    *out << refusal.name;
}

class SandboxRefuses : public ::testing::TestWithParam<Refusal> {};

TEST_P(SandboxRefuses, WithAnError) {
    const int status = inSandbox([] {
        errno = 0;
        return GetParam().act() == -1 && errno == GetParam().error;
    });
    EXPECT_EQ(endText(status), "exit 0");
}

INSTANTIATE_TEST_SUITE_P(
    Calls, SandboxRefuses,
    ::testing::Values(Refusal{"tgkill", [] { return ::syscall(SYS_tgkill, ::getpid(), ::gettid(), 0); }, EPERM},
                      Refusal{"tgkill of another process", [] { return ::syscall(SYS_tgkill, 1, 1, 0); }, EPERM},
                      Refusal{"clone3",
                              [] {
                                  clone_args arguments = {};
                                  arguments.exit_signal = SIGCHLD;
                                  return ::syscall(SYS_clone3, &arguments, sizeof(arguments));
                              },
                              ENOSYS},
                      Refusal{"setpriority", [] { return long{::setpriority(PRIO_PROCESS, 0, 0)}; }, EPERM},
                      Refusal{"prctl", [] { return long{::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)}; }, EPERM}));

TEST(Sandbox, EndsAProcessThatAborts) {
    const int status = inSandbox([]() -> bool { ::abort(); });
    EXPECT_TRUE(WIFSIGNALED(status)) << endText(status);
    EXPECT_NE(WTERMSIG(status), SIGALRM) << "it ended by itself";
}

// With this flag a path may be empty, but it need not be.
TEST(Sandbox, ShowsNothingOfAPath) {
    for (const int flags : {0, AT_EMPTY_PATH}) {
        const int status = inSandbox([flags] {
            struct stat found = {};
            return ::syscall(SYS_newfstatat, AT_FDCWD, "/", &found, flags) != 0;
        });
        EXPECT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0) << flags << ": " << endText(status);
    }
}

TEST(Sandbox, HoldsForThreadsThatAreMadeInside) {
    const int status = inSandbox([] {
        std::thread([] { ::open("/dev/null", O_RDONLY); }).join();
        return true;
    });
    EXPECT_EQ(endText(status), std::string("signal ") + ::strsignal(SIGSYS));
}

TEST(Sandbox, CanBeEnteredByManyProcesses) {
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(endText(inSandbox([] { return true; })), "exit 0");
    }
}

}  // namespace
}  // namespace larod::session
