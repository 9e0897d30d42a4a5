// SPDX-License-Identifier: Apache-2.0
// What a session lives on in the sandbox, each tried by a process of its own in the kernel that runs the test.
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstring>
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
#include "session/sandbox.h"
#include "unit/session/sandboxed.h"
#include "wire/channel.h"

namespace larod::session {
namespace {

using test::endText;
using test::inChild;
using test::inSandbox;
using test::kWrong;
using test::sandbox;

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

}  // namespace
}  // namespace larod::session
