// SPDX-License-Identifier: Apache-2.0
// Channels over real sockets. Only results that the kernel gives at its own time are injected, by a sendmsg of our own.
#include "wire/channel.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/error.h"
#include "unit/open_fds.h"

namespace {

// Errors that the next calls of sendmsg give, in order; then the kernel is asked again.
std::deque<int> sendErrors;

}  // namespace

extern "C" ssize_t sendmsg(int fd, const msghdr* message, int flags) {
    if (!sendErrors.empty()) {
        errno = sendErrors.front();
        sendErrors.pop_front();
        return -1;
    }
    using Function = ssize_t (*)(int, const msghdr*, int);
    static const auto real = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, "sendmsg"));
    return real(fd, message, flags);
}

namespace larod::wire {
namespace {

std::vector<std::byte> bytesOf(std::string_view text) {
    const auto bytes = std::as_bytes(std::span(text));
    return {bytes.begin(), bytes.end()};
}

std::string textOf(const Datagram& datagram) {
    return {reinterpret_cast<const char*>(datagram.bytes().data()), datagram.bytes().size()};
}

class TwoChannels : public ::testing::Test {
  protected:
    TwoChannels() : TwoChannels(makeSocketPair()) {}

    Sent say(std::string_view text, std::span<const int> fds = {}, Wait wait = Wait::No) {
        return b_->send(bytesOf(text), fds, wait);
    }

    std::optional<Channel> a_;
    std::optional<Channel> b_;
    Datagram datagram_;

  private:
    explicit TwoChannels(std::pair<UniqueFd, UniqueFd> ends) {
        a_.emplace(std::move(ends.first));
        b_.emplace(std::move(ends.second));
    }
};

// A pipe: whether the other side has closed its end can be seen on this one.
struct Pipe {
    Pipe() {
        std::array<int, 2> ends{};
        EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK), 0);
        read.reset(ends[0]);
        write.reset(ends[1]);
    }
    [[nodiscard]] bool writersGone() const {
        pollfd poll = {read.get(), POLLIN, 0};
        return ::poll(&poll, 1, 0) == 1 && (poll.revents & POLLHUP) != 0;
    }
    UniqueFd read;
    UniqueFd write;
};

template <typename Function>
Error errorOf(Function&& function) {
    try {
        function();
    } catch (const Error& error) {
        return error;
    }
    ADD_FAILURE() << "nothing was thrown";
    return {0, ""};
}

TEST_F(TwoChannels, CarryOneDatagramAsOneMessage) {
    EXPECT_EQ(say("first"), Sent::Yes);
    EXPECT_EQ(say("second"), Sent::Yes);
    EXPECT_EQ(a_->receive(datagram_, Wait::Yes), Received::Message);
    EXPECT_EQ(textOf(datagram_), "first");
    EXPECT_TRUE(datagram_.fds.empty());
    EXPECT_EQ(a_->receive(datagram_, Wait::No), Received::Message);
    EXPECT_EQ(textOf(datagram_), "second");
    EXPECT_EQ(a_->receive(datagram_, Wait::No), Received::WouldBlock);
    EXPECT_TRUE(datagram_.bytes().empty());
}

TEST_F(TwoChannels, CarryTheLargestDatagram) {
    const std::string largest(kMaxDatagramBytes, 'x');
    ASSERT_EQ(say(largest), Sent::Yes);
    ASSERT_EQ(a_->receive(datagram_, Wait::No), Received::Message);
    EXPECT_EQ(textOf(datagram_), largest);
}

TEST_F(TwoChannels, CarryFdsThatAreClosedOnExec) {
    const Pipe pipe;
    const std::array fds = {pipe.write.get(), pipe.read.get()};
    ASSERT_EQ(say("fds", fds), Sent::Yes);
    ASSERT_EQ(a_->receive(datagram_, Wait::No), Received::Message);
    ASSERT_EQ(datagram_.fds.size(), 2U);
    for (const UniqueFd& fd : datagram_.fds) {
        EXPECT_EQ(::fcntl(fd.get(), F_GETFD), FD_CLOEXEC);
    }
    // In order, and the same files.
    ASSERT_EQ(::write(datagram_.fds[0].get(), "!", 1), 1);
    char read = 0;
    EXPECT_EQ(::read(datagram_.fds[1].get(), &read, 1), 1);
    EXPECT_EQ(read, '!');
    EXPECT_TRUE(::fcntl(pipe.write.get(), F_GETFD) >= 0) << "the sender keeps its own";
}

TEST_F(TwoChannels, CarryAsManyFdsAsTheKernelTakes) {
    const size_t before = larod::test::countOpenFds();
    const Pipe pipe;
    const std::vector<int> fds(kMaxDatagramFds, pipe.write.get());
    ASSERT_EQ(say("many", fds), Sent::Yes);
    ASSERT_EQ(a_->receive(datagram_, Wait::No), Received::Message);
    EXPECT_EQ(datagram_.fds.size(), kMaxDatagramFds);
    const std::vector<int> tooMany(kMaxDatagramFds + 1, pipe.write.get());
    EXPECT_EQ(errorOf([&] { static_cast<void>(say("more", tooMany)); }).code(), EINVAL);
    EXPECT_EQ(a_->receive(datagram_, Wait::No), Received::WouldBlock);
    EXPECT_EQ(larod::test::countOpenFds(), before + 2);
}

TEST_F(TwoChannels, CloseFdsThatNobodyTookAtTheNextReceive) {
    Pipe pipe;
    const std::array fds = {pipe.write.get()};
    ASSERT_EQ(say("fd", fds), Sent::Yes);
    pipe.write.reset();
    ASSERT_EQ(a_->receive(datagram_, Wait::No), Received::Message);
    EXPECT_FALSE(pipe.writersGone());
    EXPECT_EQ(a_->receive(datagram_, Wait::No), Received::WouldBlock);
    EXPECT_TRUE(pipe.writersGone());
}

TEST_F(TwoChannels, LeaveFdsThatSomeoneTook) {
    Pipe pipe;
    const std::array fds = {pipe.write.get()};
    ASSERT_EQ(say("fd", fds), Sent::Yes);
    pipe.write.reset();
    ASSERT_EQ(a_->receive(datagram_, Wait::No), Received::Message);
    std::vector<UniqueFd> taken = std::move(datagram_.fds);
    ASSERT_EQ(say("again", std::array{taken[0].get()}), Sent::Yes);
    EXPECT_EQ(a_->receive(datagram_, Wait::No), Received::Message) << "also after the whole list was taken";
    EXPECT_EQ(datagram_.fds.size(), 1U);
    datagram_.fds.clear();
    EXPECT_FALSE(pipe.writersGone());
    taken.clear();
    EXPECT_TRUE(pipe.writersGone());
}

TEST_F(TwoChannels, DropADatagramThatIsTooLargeWithItsFds) {
    const size_t before = larod::test::countOpenFds();
    Pipe pipe;
    const int size = 1 << 20;
    ASSERT_EQ(::setsockopt(b_->fd(), SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
    const std::array fds = {pipe.write.get(), pipe.write.get()};
    ASSERT_EQ(say(std::string(kMaxDatagramBytes + 1, 'x'), fds), Sent::Yes);
    ASSERT_EQ(say("next"), Sent::Yes);
    pipe.write.reset();
    EXPECT_EQ(a_->receive(datagram_, Wait::No), Received::Malformed);
    EXPECT_TRUE(datagram_.fds.empty());
    EXPECT_TRUE(datagram_.bytes().empty());
    EXPECT_TRUE(pipe.writersGone());
    EXPECT_EQ(larod::test::countOpenFds(), before + 1);
    EXPECT_EQ(a_->receive(datagram_, Wait::No), Received::Message);
    EXPECT_EQ(textOf(datagram_), "next");
}

// Where this process has no room for the fds, the kernel passes some and cuts off the rest.
TEST_F(TwoChannels, DropADatagramWhoseFdsWereCutOff) {
    const Pipe pipe;
    const std::vector<int> fds(8, pipe.write.get());
    ASSERT_EQ(say("fds", fds), Sent::Yes);
    const size_t before = larod::test::countOpenFds();
    rlimit limit = {};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
    const UniqueFd lowestFree(::dup(pipe.write.get()));
    rlimit small = limit;
    small.rlim_cur = static_cast<rlim_t>(lowestFree.get()) + 4;
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &small), 0);
    const Received received = a_->receive(datagram_, Wait::No);
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
    EXPECT_EQ(received, Received::Malformed);
    EXPECT_TRUE(datagram_.fds.empty());
    EXPECT_EQ(larod::test::countOpenFds(), before + 1);
}

TEST_F(TwoChannels, TellThatThePeerIsGone) {
    b_.reset();
    EXPECT_EQ(a_->receive(datagram_, Wait::Yes), Received::Closed);
    EXPECT_EQ(a_->receive(datagram_, Wait::No), Received::Closed) << "and go on telling it";
    // SIGPIPE would end the test here.
    EXPECT_EQ(a_->send(bytesOf("hello"), {}, Wait::Yes), Sent::PeerGone);
    EXPECT_EQ(a_->send(bytesOf("hello"), {}, Wait::No), Sent::PeerGone);
}

TEST_F(TwoChannels, GiveWhatThePeerSaidBeforeItDied) {
    ASSERT_EQ(say("last words"), Sent::Yes);
    b_.reset();
    EXPECT_EQ(a_->receive(datagram_, Wait::Yes), Received::Message);
    EXPECT_EQ(textOf(datagram_), "last words");
    EXPECT_EQ(a_->receive(datagram_, Wait::Yes), Received::Closed);
}

TEST_F(TwoChannels, ReadOnAfterAReset) {
    // What the kernel does when a peer dies with a message unread, on a pair of its own.
    {
        auto [a, b] = makeSocketPair();
        ASSERT_EQ(::send(a.get(), "x", 1, 0), 1);
        ASSERT_EQ(::send(b.get(), "y", 1, 0), 1);
        b.reset();
        char byte = 0;
        ASSERT_EQ(::recv(a.get(), &byte, 1, 0), -1);
        ASSERT_EQ(errno, ECONNRESET);
    }
    ASSERT_EQ(a_->send(bytesOf("unread"), {}, Wait::No), Sent::Yes);
    ASSERT_EQ(say("why I died"), Sent::Yes);
    b_.reset();
    EXPECT_EQ(a_->receive(datagram_, Wait::Yes), Received::Message);
    EXPECT_EQ(textOf(datagram_), "why I died");
    EXPECT_EQ(a_->receive(datagram_, Wait::Yes), Received::Closed);
}

TEST_F(TwoChannels, EndAtAnEmptyDatagramAndCloseItsFds) {
    const size_t before = larod::test::countOpenFds();
    const Pipe pipe;
    ASSERT_EQ(say("", std::array{pipe.write.get()}), Sent::Yes);
    EXPECT_EQ(a_->receive(datagram_, Wait::No), Received::Closed);
    EXPECT_TRUE(datagram_.fds.empty());
    EXPECT_EQ(larod::test::countOpenFds(), before + 2);
}

TEST_F(TwoChannels, EndBothSidesAtAShutdown) {
    ASSERT_EQ(say("before"), Sent::Yes);
    b_->shutdown();
    EXPECT_EQ(a_->receive(datagram_, Wait::Yes), Received::Message);
    EXPECT_EQ(a_->receive(datagram_, Wait::Yes), Received::Closed);
    EXPECT_EQ(a_->send(bytesOf("x"), {}, Wait::No), Sent::PeerGone);
    EXPECT_EQ(b_->receive(datagram_, Wait::Yes), Received::Closed);
    EXPECT_EQ(say("after"), Sent::PeerGone);
}

TEST_F(TwoChannels, DontBlockWhereThePeerDoesNotRead) {
    size_t count = 0;
    while (say("message") == Sent::Yes) {
        ASSERT_LT(++count, 1'000'000U);
    }
    EXPECT_GT(count, 1U);
    for (size_t i = 0; i < count; ++i) {
        ASSERT_EQ(a_->receive(datagram_, Wait::No), Received::Message);
    }
    EXPECT_EQ(a_->receive(datagram_, Wait::No), Received::WouldBlock) << "nothing of the refused one";
    EXPECT_EQ(say("message"), Sent::Yes);
}

TEST_F(TwoChannels, WaitUntilThePeerReads) {
    while (say("message") == Sent::Yes) {
    }
    // The kernel wakes a sender when much of the queue has been read, so the reader reads all of it.
    std::thread reader([this] {
        do {
            ASSERT_EQ(a_->receive(datagram_, Wait::Yes), Received::Message);
        } while (textOf(datagram_) != "blocked");
    });
    EXPECT_EQ(say("blocked", {}, Wait::Yes), Sent::Yes);
    reader.join();
}

TEST_F(TwoChannels, WaitUntilSomethingComes) {
    std::thread writer([this] { EXPECT_EQ(say("late"), Sent::Yes); });
    EXPECT_EQ(a_->receive(datagram_, Wait::Yes), Received::Message);
    EXPECT_EQ(textOf(datagram_), "late");
    writer.join();
}

TEST_F(TwoChannels, KeepDatagramsWholeWithManySenders) {
    constexpr int kSenders = 4;
    constexpr int kEach = 500;
    std::vector<std::thread> senders;
    for (int sender = 0; sender < kSenders; ++sender) {
        senders.emplace_back([this, sender] {
            for (int i = 0; i < kEach; ++i) {
                const std::string text(static_cast<size_t>(100 + sender), static_cast<char>('a' + sender));
                EXPECT_EQ(say(text, {}, Wait::Yes), Sent::Yes);
            }
        });
    }
    for (int i = 0; i < kSenders * kEach; ++i) {
        ASSERT_EQ(a_->receive(datagram_, Wait::Yes), Received::Message);
        const std::string text = textOf(datagram_);
        ASSERT_EQ(text, std::string(static_cast<size_t>(100 + text[0] - 'a'), text[0]));
    }
    for (std::thread& sender : senders) {
        sender.join();
    }
}

TEST_F(TwoChannels, RefuseAnFdThatIsNotOpenAndSendNothing) {
    const Pipe pipe;
    const int closed = UniqueFd(::dup(pipe.read.get())).get();  // the temporary closed it again
    const std::array fds = {pipe.write.get(), closed};
    const Error error = errorOf([&] { static_cast<void>(say("fds", fds)); });
    EXPECT_EQ(error.code(), LAROD_ERROR_FD);
    EXPECT_NE(error.text().find("not open"), std::string::npos);
    EXPECT_EQ(errorOf([&] { static_cast<void>(say("fd", std::array{-1})); }).code(), LAROD_ERROR_FD);
    EXPECT_EQ(a_->receive(datagram_, Wait::No), Received::WouldBlock);
}

TEST_F(TwoChannels, RepeatAnInterruptedSend) {
    sendErrors = {EINTR, EINTR};
    EXPECT_EQ(say("through"), Sent::Yes);
    EXPECT_TRUE(sendErrors.empty());
    EXPECT_EQ(a_->receive(datagram_, Wait::No), Received::Message);
    EXPECT_EQ(textOf(datagram_), "through");
}

TEST_F(TwoChannels, TellTooManyFdsInFlight) {
    sendErrors = {ETOOMANYREFS};
    EXPECT_EQ(say("later", std::array{a_->fd()}), Sent::WouldBlock);
    sendErrors = {ETOOMANYREFS};
    const Error error = errorOf([&] { static_cast<void>(say("now", std::array{a_->fd()}, Wait::Yes)); });
    EXPECT_EQ(error.code(), LAROD_ERROR_FD);
    EXPECT_NE(error.text().find("open files"), std::string::npos) << error.text();
}

TEST_F(TwoChannels, RefuseAMessageThatTheKernelRefuses) {
    const Error error = errorOf([&] { static_cast<void>(say(std::string(8 << 20, 'x'))); });
    EXPECT_EQ(error.code(), EINVAL);
    EXPECT_NE(error.text().find("8388608"), std::string::npos) << error.text();
    sendErrors = {ENOMEM};
    EXPECT_EQ(errorOf([&] { static_cast<void>(say("x")); }).code(), LAROD_ERROR_CONNECTION);
}

TEST(Channel, ThrowsOnWhatIsNoSocket) {
    Pipe pipe;
    Channel channel(std::move(pipe.write));
    Datagram datagram;
    EXPECT_EQ(errorOf([&] { static_cast<void>(channel.receive(datagram, Wait::No)); }).code(), LAROD_ERROR_CONNECTION);
    EXPECT_EQ(errorOf([&] { static_cast<void>(channel.send(bytesOf("x"), {}, Wait::No)); }).code(),
              LAROD_ERROR_CONNECTION);
    Channel closed{UniqueFd()};
    EXPECT_EQ(errorOf([&] { static_cast<void>(closed.receive(datagram, Wait::No)); }).code(), LAROD_ERROR_CONNECTION);
    EXPECT_EQ(errorOf([&] { static_cast<void>(closed.send(bytesOf("x"), {}, Wait::No)); }).code(),
              LAROD_ERROR_CONNECTION)
        << "not LAROD_ERROR_FD: no fd was to be passed";
}

TEST(Channel, IsGoneWhereItWasNeverConnected) {
    Channel channel(UniqueFd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)));
    Datagram datagram;
    EXPECT_EQ(channel.receive(datagram, Wait::No), Received::Closed);
    EXPECT_EQ(channel.send(bytesOf("x"), {}, Wait::No), Sent::PeerGone);
}

TEST(SocketPair, IsClosedOnExec) {
    const auto [a, b] = makeSocketPair();
    EXPECT_EQ(::fcntl(a.get(), F_GETFD), FD_CLOEXEC);
    EXPECT_EQ(::fcntl(b.get(), F_GETFD), FD_CLOEXEC);
}

}  // namespace
}  // namespace larod::wire
