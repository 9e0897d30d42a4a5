// SPDX-License-Identifier: Apache-2.0
// What the sandbox ends, refuses and lets through, each tried by a process of its own in the kernel that runs the test.
#include "session/sandbox.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/sched.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
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
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

#include "base/log.h"
#include "base/monotonic_time.h"
#include "base/unique_fd.h"
#include "buffer/file_identity.h"
#include "buffer/mapping.h"
#include "buffer/memfd.h"
#include "wire/channel.h"

namespace larod::session {
namespace {

constexpr int kWrong = 1;            // the child saw something else than it should
constexpr unsigned kTooLongS = 120;  // then SIGALRM ends a child that waits for ever

// Built once, before any fork, as in the spawner.
const Sandbox& sandbox() {
    static const Sandbox instance;
    return instance;
}

// The wait status of a child that calls `function` and exits with what it returns.
template <typename Function>
int inChild(Function&& function) {
    const pid_t child = ::fork();
    if (child == 0) {
        ::alarm(kTooLongS);
        ::_exit(function());
    }
    int status = -1;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return status;
}

// As a session is started: one arena, limits, filter; then `action` (true: as it should be).
int inSandbox(const std::function<bool()>& action) {
    const Sandbox& filter = sandbox();
    return inChild([&] {
        ::mallopt(M_ARENA_MAX, 1);
        setSessionLimits();
        filter.enter();
        return action() ? 0 : kWrong;
    });
}

std::string endText(int status) {
    if (WIFSIGNALED(status)) {
        return std::string("signal ") + ::strsignal(WTERMSIG(status));
    }
    return "exit " + std::to_string(WEXITSTATUS(status));
}

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

// ---- What a session lives on

TEST(SandboxLets, DevicesAskTheirNodesWhatTheyNamed) {
    constexpr unsigned long kNamed = 0xC0485619;
    constexpr unsigned long kOther = 0xC048561A;
    const unsigned long requests[] = {kNamed, kNamed};
    const Sandbox filter(requests);
    const UniqueFd node(::open("/dev/null", O_RDWR | O_CLOEXEC));
    const auto ask = [&](unsigned long request) {
        return inChild([&] {
            filter.enter();
            return ::ioctl(node.get(), request, nullptr) == -1 && errno == ENOTTY ? 0 : kWrong;
        });
    };
    EXPECT_EQ(endText(ask(kNamed)), "exit 0");
    EXPECT_EQ(WTERMSIG(ask(kOther)), SIGSYS);
    EXPECT_EQ(WTERMSIG(inSandbox([&] { return ::ioctl(node.get(), kNamed, nullptr) == -1; })), SIGSYS);
}

TEST(SandboxLets, ThreadsComeAndGo) {
    const int status = inSandbox([] {
        std::atomic<int> ran{0};
        for (int round = 0; round < 20; ++round) {
            std::vector<std::thread> threads;
            for (int i = 0; i < 8; ++i) {
                threads.emplace_back([&ran] {
                    ::pthread_setname_np(::pthread_self(), "worker");
                    ++ran;
                });
            }
            for (std::thread& thread : threads) {
                thread.join();
            }
        }
        return ran == 160;
    });
    EXPECT_EQ(endText(status), "exit 0");
}

// glibc shrinks its heap at such a free; with an arena for each thread it would open a file for that.
TEST(SandboxLets, ThreadsAllocateAndFreeALot) {
    const int status = inSandbox([] {
        std::vector<std::thread> threads;
        for (size_t i = 0; i < 4; ++i) {
            threads.emplace_back([i] {
                for (int round = 0; round < 20; ++round) {
                    std::vector<std::unique_ptr<std::byte[]>> blocks;
                    for (size_t bytes = 64 * (i + 1); bytes < (size_t{4} << 20U); bytes *= 2) {
                        blocks.push_back(std::make_unique<std::byte[]>(bytes));
                    }
                    for (size_t small = 0; small < 2000; ++small) {
                        blocks.push_back(std::make_unique<std::byte[]>(1000 + i));
                    }
                }
            });
        }
        for (std::thread& thread : threads) {
            thread.join();
        }
        ::malloc_trim(0);
        return true;
    });
    EXPECT_EQ(endText(status), "exit 0");
}

TEST(SandboxLets, FilesBeReadWrittenAndMapped) {
    const UniqueFd file = buffer::makeSealedMemfd("test", 8192);
    const int status = inSandbox([&file] {
        std::array<char, 5> text = {};
        const bool written = ::pwrite(file.get(), "tiger", 5, 4095) == 5;
        const bool got = ::pread(file.get(), text.data(), 5, 4095) == 5;
        const buffer::Mapping mapping(file.get(), 0, 8192, buffer::MapAccess::ReadWrite);
        const UniqueFd copy(::fcntl(file.get(), F_DUPFD_CLOEXEC, 0));
        return written && got && std::memcmp(text.data(), "tiger", 5) == 0 &&
               buffer::fileStatus(file.get()).length == 8192 && ::lseek(copy.get(), 0, SEEK_END) == 8192 &&
               (::fcntl(file.get(), F_GET_SEALS) & F_SEAL_SHRINK) != 0;
    });
    EXPECT_EQ(endText(status), "exit 0");
}

TEST(SandboxLets, MessagesWithDescriptorsBeExchanged) {
    auto [a, b] = wire::makeSocketPair();
    wire::Channel sender(std::move(a));
    wire::Channel receiver(std::move(b));
    const int status = inSandbox([&] {
        const std::array<std::byte, 3> bytes = {};
        const int fd = sender.fd();
        pollfd readable = {receiver.fd(), POLLIN, 0};
        wire::Datagram datagram;
        const bool sent = sender.send(bytes, std::span<const int>(&fd, 1), wire::Wait::Yes) == wire::Sent::Yes &&
                          ::poll(&readable, 1, -1) == 1;
        const bool received = receiver.receive(datagram, wire::Wait::Yes) == wire::Received::Message;
        const bool whole = datagram.bytes().size() == 3 && datagram.fds.size() == 1;
        sender.shutdown();
        return sent && received && whole;
    });
    EXPECT_EQ(endText(status), "exit 0");
}

TEST(SandboxLets, ThreadsWaitForEachOther) {
    const int status = inSandbox([] {
        std::mutex mutex;
        std::condition_variable changed;
        int turn = 0;
        const auto play = [&](int self) {
            for (int i = 0; i < 200; ++i) {
                std::unique_lock lock(mutex);
                changed.wait(lock, [&] { return turn == self; });
                turn = 1 - self;
                changed.notify_all();
            }
        };
        std::thread other(play, 1);
        play(0);
        other.join();
        std::unique_lock lock(mutex);
        return !changed.wait_for(lock, std::chrono::milliseconds(1), [] { return false; });
    });
    EXPECT_EQ(endText(status), "exit 0");
}

TEST(SandboxLets, ExceptionsBeThrownAndCaught) {
    const int status = inSandbox([] {
        int caught = 0;
        const auto thrower = [&caught] {
            try {
                throw std::runtime_error("thrown inside");
            } catch (const std::exception& error) {
                caught += std::strcmp(error.what(), "thrown inside") == 0 ? 1 : 0;
            }
        };
        thrower();
        std::thread(thrower).join();
        return caught == 2;
    });
    EXPECT_EQ(endText(status), "exit 0");
}

TEST(SandboxLets, TimeBeReadAndSpent) {
    const int status = inSandbox([] {
        const uint64_t before = monotonicNs();
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
        timespec pause = {0, 1'000'000};
        timespec now = {};
        return ::nanosleep(&pause, nullptr) == 0 && ::clock_gettime(CLOCK_REALTIME, &now) == 0 && now.tv_sec > 0 &&
               monotonicNs() - before >= 3'000'000;
    });
    EXPECT_EQ(endText(status), "exit 0");
}

// The session's first line may be the first of all: nothing must be looked up for it that is only found outside.
TEST(SandboxLets, LinesBeLogged) {
    std::array<int, 2> ends;
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    const UniqueFd readEnd(ends[0]);
    UniqueFd writeEnd(ends[1]);
    const Sandbox& filter = sandbox();
    const int status = inChild([&] {
        ::dup2(writeEnd.get(), STDERR_FILENO);
        initLog("info", "spawner");
        renameLog("session");
        closeAllBut({logFd()});
        filter.enter();
        log::info("the {}st line", 1);
        std::thread([] { log::warn("of another thread"); }).join();
        return 0;
    });
    EXPECT_EQ(endText(status), "exit 0");
    writeEnd.reset();
    std::string log;
    std::array<char, 4096> part;
    for (ssize_t got = 0; (got = ::read(readEnd.get(), part.data(), part.size())) > 0;) {
        log.append(part.data(), static_cast<size_t>(got));
    }
    EXPECT_NE(log.find("info: the 1st line\n"), std::string::npos) << log;
    EXPECT_NE(log.find("warning: of another thread\n"), std::string::npos) << log;
    EXPECT_NE(log.find(" session["), std::string::npos) << log;
}

// ---- closeAllBut, setSessionLimits

// Descriptors from 3 on that are open in the calling process, up to 300. Opens none.
std::vector<int> openFds() {
    std::vector<int> fds;
    for (int fd = 3; fd < 300; ++fd) {
        if (::fcntl(fd, F_GETFD) >= 0) {
            fds.push_back(fd);
        }
    }
    return fds;
}

// What is open in a process that had `opened` (and more) when it called closeAllBut(keep).
int keptAre(std::vector<int> opened, std::vector<int> keep, std::vector<int> expected) {
    return inChild([&] {
        closeAllBut({});
        for (const int fd : opened) {
            ::dup2(STDERR_FILENO, fd);
        }
        closeAllBut(keep);
        const bool standard = ::fcntl(0, F_GETFD) >= 0 && ::fcntl(1, F_GETFD) >= 0 && ::fcntl(2, F_GETFD) >= 0;
        return openFds() == expected && standard ? 0 : kWrong;
    });
}

TEST(CloseAllBut, ClosesAll) {
    EXPECT_EQ(endText(keptAre({3, 4, 100, 299}, {}, {})), "exit 0");
}

TEST(CloseAllBut, KeepsTheFirstAndTheLast) {
    EXPECT_EQ(endText(keptAre({3, 4, 5, 6, 299}, {3, 299}, {3, 299})), "exit 0");
}

TEST(CloseAllBut, KeepsNeighboursAndClosesTheGapsBetween) {
    EXPECT_EQ(endText(keptAre({3, 4, 5, 6, 7, 8, 9, 10, 11}, {5, 6, 9, 10}, {5, 6, 9, 10})), "exit 0");
}

TEST(CloseAllBut, KeepsInAnyOrderAndTwice) {
    EXPECT_EQ(endText(keptAre({3, 4, 5, 6, 7, 8}, {8, 4, 8, 6, 4}, {4, 6, 8})), "exit 0");
}

TEST(CloseAllBut, IgnoresNumbersThatAreNotOpenOrStandard) {
    EXPECT_EQ(endText(keptAre({3, 4, 5, 6}, {-1, 0, 1, 2, 5, 200}, {5})), "exit 0");
}

TEST(SessionLimits, AllowNoCoreDumpsAndAsManyFilesAsThereMayBe) {
    const int status = inChild([] {
        rlimit before = {};
        ::getrlimit(RLIMIT_NOFILE, &before);
        setSessionLimits();
        rlimit data = {};
        rlimit core = {};
        rlimit files = {};
        ::getrlimit(RLIMIT_DATA, &data);
        ::getrlimit(RLIMIT_CORE, &core);
        ::getrlimit(RLIMIT_NOFILE, &files);
        return data.rlim_cur != RLIM_INFINITY && data.rlim_cur == data.rlim_max && core.rlim_max == 0 &&
                       files.rlim_cur == before.rlim_max
                   ? 0
                   : kWrong;
    });
    EXPECT_EQ(endText(status), "exit 0");
}

TEST(SessionLimits, RefuseMemoryBeyondThatOfTheMachine) {
    const int status = inSandbox([] {
        rlimit data = {};
        ::getrlimit(RLIMIT_DATA, &data);
        void* volatile some = std::malloc(size_t{1} << 20U);
        void* volatile all = std::malloc(data.rlim_cur + 1);
        return some != nullptr && all == nullptr;
    });
    EXPECT_EQ(endText(status), "exit 0");
}

}  // namespace
}  // namespace larod::session
