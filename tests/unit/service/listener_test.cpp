// SPDX-License-Identifier: Apache-2.0
// What makes room for a socket, and what is left alone.
#include "service/listener.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <latch>
#include <memory>
#include <thread>
#include <vector>

#include "base/error.h"
#include "wire/channel.h"

namespace larod::service {
namespace {

namespace fs = std::filesystem;

class ListenerTest : public ::testing::Test {
  protected:
    ListenerTest() {
        folder_ = ::testing::TempDir() + "larod-listener-XXXXXX";
        EXPECT_NE(::mkdtemp(folder_.data()), nullptr);
    }
    ~ListenerTest() override { fs::remove_all(folder_); }

    std::string in(const std::string& name) const { return folder_ + "/" + name; }

    // Makes a socket there, of `type`.
    static UniqueFd bindAt(const std::string& path, int type) {
        sockaddr_un address = {};
        address.sun_family = AF_UNIX;
        std::strcpy(address.sun_path, path.c_str());
        UniqueFd socket(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
        EXPECT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
        return socket;
    }

    static std::string errorAt(const std::string& path) {
        try {
            const Listener listener(path);
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), LAROD_ERROR_CONNECTION);
            return error.text();
        }
        ADD_FAILURE() << "listens at " << path;
        return "";
    }

  private:
    std::string folder_;
};

TEST_F(ListenerTest, ListensForAnyUserAndRemovesItsFile) {
    const std::string path = in("larod.sock");
    {
        const Listener listener(path);
        EXPECT_EQ(listener.path(), path);
        struct stat status = {};
        ASSERT_EQ(::lstat(path.c_str(), &status), 0);
        EXPECT_TRUE(S_ISSOCK(status.st_mode));
        EXPECT_EQ(status.st_mode & 0777U, 0666U);
        EXPECT_NE(::fcntl(listener.fd(), F_GETFD) & FD_CLOEXEC, 0);
        EXPECT_NE(::fcntl(listener.fd(), F_GETFL) & O_NONBLOCK, 0) << "accept must not wait for a client that left";

        const UniqueFd client = wire::connectSocket(path);
        const UniqueFd accepted(::accept4(listener.fd(), nullptr, nullptr, SOCK_CLOEXEC));
        EXPECT_TRUE(accepted);
    }
    EXPECT_FALSE(fs::exists(path));
}

TEST_F(ListenerTest, KeepsTheFileWhenTheSocketIsClosed) {
    const std::string path = in("larod.sock");
    {
        Listener listener(path);
        listener.closeSocket();
        EXPECT_LT(listener.fd(), 0);
        EXPECT_TRUE(fs::exists(path));
    }
    EXPECT_FALSE(fs::exists(path));
}

TEST_F(ListenerTest, ReplacesTheSocketOfAServiceThatIsGone) {
    const std::string path = in("larod.sock");
    bindAt(path, SOCK_SEQPACKET).reset();
    ASSERT_TRUE(fs::exists(path));
    const Listener listener(path);
    const UniqueFd client = wire::connectSocket(path);
    EXPECT_TRUE(client);
}

TEST_F(ListenerTest, LetsOneOfManyReplaceASocketThatIsLeftOver) {
    const std::string path = in("larod.sock");
    for (int round = 0; round < 20; ++round) {
        bindAt(path, SOCK_SEQPACKET).reset();
        constexpr size_t kServices = 8;
        std::array<std::unique_ptr<Listener>, kServices> listeners;
        std::latch start(kServices);
        std::vector<std::thread> threads;
        for (auto& listener : listeners) {
            threads.emplace_back([&start, &listener, &path] {
                start.arrive_and_wait();
                try {
                    listener = std::make_unique<Listener>(path);
                } catch (const Error& error) {
                    EXPECT_NE(error.text().find("another service listens"), std::string::npos) << error.text();
                }
            });
        }
        for (std::thread& thread : threads) {
            thread.join();
        }
        EXPECT_EQ(std::count(listeners.begin(), listeners.end(), nullptr), static_cast<ptrdiff_t>(kServices) - 1);
        EXPECT_TRUE(wire::connectSocket(path)) << "it is the one's whose file is there";
        EXPECT_FALSE(fs::exists(path + ".lock"));
    }
}

TEST_F(ListenerTest, LeavesTheSocketOfItsSuccessor) {
    const std::string path = in("larod.sock");
    auto first = std::make_unique<Listener>(path);
    first->closeSocket();
    const Listener second(path);
    first.reset();
    EXPECT_TRUE(wire::connectSocket(path));
}

TEST_F(ListenerTest, SaysWhyItsLockCannotBeMade) {
    const std::string path = in("larod.sock");
    fs::create_symlink("/dev/null", path + ".lock");
    const std::string text = errorAt(path);
    EXPECT_NE(text.find(path + ".lock"), std::string::npos) << text;
    EXPECT_FALSE(fs::exists(path));
}

TEST_F(ListenerTest, RefusesThePlaceOfAServiceThatListens) {
    const std::string path = in("larod.sock");
    const Listener first(path);
    const std::string text = errorAt(path);
    EXPECT_NE(text.find("another service listens"), std::string::npos) << text;
    EXPECT_NE(text.find(path), std::string::npos) << text;
    const UniqueFd client = wire::connectSocket(path);
    EXPECT_TRUE(client) << "the first one still listens";
}

TEST_F(ListenerTest, RefusesThePlaceOfAServiceThatHasNoTimeToAccept) {
    const std::string path = in("larod.sock");
    const UniqueFd busy = bindAt(path, SOCK_SEQPACKET);
    ASSERT_EQ(::listen(busy.get(), 0), 0);
    const UniqueFd waiting = wire::connectSocket(path);  // its queue is full now
    const std::string text = errorAt(path);
    EXPECT_NE(text.find("another service listens"), std::string::npos) << text;
    EXPECT_TRUE(fs::exists(path));
}

TEST_F(ListenerTest, LeavesAFileAloneThatIsNoSocket) {
    const std::string path = in("notes.txt");
    std::ofstream(path) << "mine";
    const std::string text = errorAt(path);
    EXPECT_NE(text.find(path), std::string::npos) << text;
    std::string content;
    std::ifstream(path) >> content;
    EXPECT_EQ(content, "mine");
}

TEST_F(ListenerTest, LeavesTheSocketOfAnotherProgramAlone) {
    const std::string path = in("bus");
    const UniqueFd other = bindAt(path, SOCK_STREAM);
    ASSERT_EQ(::listen(other.get(), 1), 0);
    errorAt(path);
    EXPECT_TRUE(fs::exists(path));
}

TEST_F(ListenerTest, CreatesAMissingDirectoryAndRemovesIt) {
    const std::string directory = in("run");
    {
        const Listener listener(directory + "/larod.sock");
        struct stat status = {};
        ASSERT_EQ(::stat(directory.c_str(), &status), 0);
        EXPECT_EQ(status.st_mode & 0755U, 0755U) << "other users can reach the socket";
    }
    EXPECT_FALSE(fs::exists(directory));
}

TEST_F(ListenerTest, SaysWhichDirectoryItCannotMakeAndWhatToDo) {
    const std::string directory = in("no/run");
    const std::string text = errorAt(directory + "/larod.sock");
    EXPECT_NE(text.find("the directory '" + directory + "'"), std::string::npos) << text;
    EXPECT_NE(text.find("--socket"), std::string::npos) << text;
    EXPECT_FALSE(fs::exists(in("no")));
}

TEST_F(ListenerTest, KeepsADirectoryThatItDidNotMake) {
    const std::string directory = in("run");
    fs::create_directory(directory);
    { const Listener listener(directory + "/larod.sock"); }
    EXPECT_TRUE(fs::exists(directory));
    EXPECT_TRUE(fs::is_empty(directory));
}

TEST_F(ListenerTest, KeepsADirectoryThatIsNotEmptyAtTheEnd) {
    const std::string directory = in("run");
    {
        const Listener listener(directory + "/larod.sock");
        std::ofstream(directory + "/other") << "x";
    }
    EXPECT_TRUE(fs::exists(directory + "/other"));
}

TEST_F(ListenerTest, CreatesOneDirectoryOnly) {
    const std::string text = errorAt(in("a/b/larod.sock"));
    EXPECT_NE(text.find("No such file"), std::string::npos) << text;
    EXPECT_FALSE(fs::exists(in("a")));
}

TEST_F(ListenerTest, RefusesAPathThatASocketAddressCannotHold) {
    const size_t longest = sizeof(sockaddr_un{}.sun_path) - 1;
    std::string path = in("");
    ASSERT_LT(path.size(), longest);
    path.resize(longest, 'x');
    { const Listener listener(path); }
    EXPECT_NE(errorAt(path + "x").find("108 characters; expected 1 to 107"), std::string::npos);
    EXPECT_NE(errorAt("").find("0 characters"), std::string::npos);
}

TEST_F(ListenerTest, SaysThatADirectoryIsNoPlaceForASocket) {
    for (const std::string& path : {in("."), in(""), in("new/")}) {
        const std::string text = errorAt(path);
        EXPECT_NE(text.find("it is a directory"), std::string::npos) << text;
        EXPECT_NE(text.find("larod.sock"), std::string::npos) << text;
    }
    EXPECT_TRUE(fs::is_empty(in("")));
}

}  // namespace
}  // namespace larod::service
