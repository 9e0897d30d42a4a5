// SPDX-License-Identifier: Apache-2.0
// Finding and connecting to the service's socket.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <thread>

#include "base/error.h"
#include "unit/open_fds.h"
#include "wire/channel.h"

namespace larod::wire {
namespace {

class SocketAddress : public ::testing::Test {
  protected:
    SocketAddress() {
        std::string folder = ::testing::TempDir() + "larod-XXXXXX";
        EXPECT_NE(::mkdtemp(folder.data()), nullptr);
        folder_ = folder;
    }
    ~SocketAddress() override { std::filesystem::remove_all(folder_); }

    static UniqueFd bound(const std::string& path, int type) {
        UniqueFd socket(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
        sockaddr_un address = {};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path, path.data(), path.size());
        EXPECT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
        return socket;
    }

    // The error's text; its code is always LAROD_ERROR_CONNECTION, and it leaves no descriptor.
    static std::string refusal(const std::string& path) {
        const size_t before = larod::test::countOpenFds();
        try {
            static_cast<void>(connectSocket(path));
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), LAROD_ERROR_CONNECTION);
            EXPECT_EQ(larod::test::countOpenFds(), before);
            return error.text();
        }
        ADD_FAILURE() << "connected";
        return "";
    }

    std::string folder_;
};

TEST_F(SocketAddress, OfAListenerIsConnected) {
    const std::string path = folder_ + "/larod.sock";
    const UniqueFd listener = bound(path, SOCK_SEQPACKET);
    ASSERT_EQ(::listen(listener.get(), 1), 0);
    Channel client(connectSocket(path));
    EXPECT_EQ(::fcntl(client.fd(), F_GETFD), FD_CLOEXEC);
    Channel service(UniqueFd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)));
    EXPECT_EQ(client.send(std::array{std::byte{1}}, {}, Wait::No), Sent::Yes);
    Datagram datagram;
    EXPECT_EQ(service.receive(datagram, Wait::Yes), Received::Message);
}

TEST_F(SocketAddress, OfNothingIsNamedWithWhatToDo) {
    const std::string path = folder_ + "/none.sock";
    const std::string text = refusal(path);
    EXPECT_NE(text.find(path), std::string::npos) << text;
    EXPECT_NE(text.find("No such file"), std::string::npos) << text;
    EXPECT_NE(text.find("LAROD_SOCKET"), std::string::npos) << text;
}

TEST_F(SocketAddress, ThatNobodyListensAtIsRefused) {
    const std::string path = folder_ + "/stale.sock";
    const UniqueFd socket = bound(path, SOCK_SEQPACKET);
    EXPECT_NE(refusal(path).find("refused"), std::string::npos);
}

TEST_F(SocketAddress, OfAnotherKindOfSocketOrFileIsRefused) {
    const std::string path = folder_ + "/stream.sock";
    const UniqueFd listener = bound(path, SOCK_STREAM);
    ASSERT_EQ(::listen(listener.get(), 1), 0);
    EXPECT_NE(refusal(path).find(path), std::string::npos);
    const std::string file = folder_ + "/file";
    std::ofstream(file) << "text";
    EXPECT_NE(refusal(file).find(file), std::string::npos);
    EXPECT_NE(refusal(folder_).find(folder_), std::string::npos);
}

TEST_F(SocketAddress, OfAListenerWithAFullQueueIsGivenUpAfterTheTimeout) {
    using namespace std::chrono;
    const std::string path = folder_ + "/full.sock";
    const UniqueFd listener = bound(path, SOCK_SEQPACKET);
    ASSERT_EQ(::listen(listener.get(), 0), 0);
    const UniqueFd queued = connectSocket(path);
    const size_t before = larod::test::countOpenFds();
    const auto start = steady_clock::now();
    try {
        static_cast<void>(connectSocket(path, milliseconds(50)));
        ADD_FAILURE() << "connected";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), LAROD_ERROR_CONNECTION);
        EXPECT_NE(error.text().find(path), std::string::npos) << error.text();
        EXPECT_NE(error.text().find("within 50 ms"), std::string::npos) << error.text();
    }
    EXPECT_GE(steady_clock::now() - start, milliseconds(50));
    EXPECT_EQ(larod::test::countOpenFds(), before);
}

TEST_F(SocketAddress, OfAListenerWithAFullQueueIsConnectedWhenThereIsRoom) {
    const std::string path = folder_ + "/full.sock";
    const UniqueFd listener = bound(path, SOCK_SEQPACKET);
    ASSERT_EQ(::listen(listener.get(), 0), 0);
    const UniqueFd queued = connectSocket(path);
    std::thread acceptor([&] { const UniqueFd accepted(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)); });
    const UniqueFd waited = connectSocket(path);
    acceptor.join();
    timeval timeout = {1, 1};
    socklen_t size = sizeof(timeout);
    ASSERT_EQ(::getsockopt(waited.get(), SOL_SOCKET, SO_SNDTIMEO, &timeout, &size), 0);
    EXPECT_EQ(timeout.tv_sec, 0);
    EXPECT_EQ(timeout.tv_usec, 0) << "the timeout must not limit what is sent later";
}

TEST_F(SocketAddress, HasUpTo107Characters) {
    EXPECT_NE(refusal("").find("expected 1 to 107"), std::string::npos);
    EXPECT_NE(refusal(std::string(107, 'p')).find("No such file"), std::string::npos);
    EXPECT_NE(refusal(std::string(108, 'p')).find("expected 1 to 107"), std::string::npos);
}

TEST(DefaultSocketPath, IsTheEnvironmentsElseTheSystems) {
    const char* const held = std::getenv("LAROD_SOCKET");
    const std::optional<std::string> saved = held != nullptr ? std::optional<std::string>(held) : std::nullopt;
    ::setenv("LAROD_SOCKET", "/elsewhere/a.sock", 1);
    EXPECT_EQ(defaultSocketPath(), "/elsewhere/a.sock");
    ::setenv("LAROD_SOCKET", "", 1);
    EXPECT_EQ(defaultSocketPath(), "/run/larod/larod.sock");
    ::unsetenv("LAROD_SOCKET");
    EXPECT_EQ(defaultSocketPath(), "/run/larod/larod.sock");
    EXPECT_EQ(defaultSocketPath("/of/a/file.sock"), "/of/a/file.sock");
    if (saved) {
        ::setenv("LAROD_SOCKET", saved->c_str(), 1);
    }
}

}  // namespace
}  // namespace larod::wire
