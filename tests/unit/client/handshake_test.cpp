// SPDX-License-Identifier: Apache-2.0
// The first exchange, and what larodConnect makes of it.
#include "client/handshake.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <string>

#include "unit/client/fake_session.h"

namespace larod::client::testing {
namespace {

struct Failed {
    int code;
    std::string text;
};

// Connects to a session with this script, which must not give a connection.
Failed connectTo(Script script) {
    FakeSession session(std::move(script));
    ErrorHolder error;
    larodConnection* conn = reinterpret_cast<larodConnection*>(0x10);
    EXPECT_FALSE(larodConnect(&conn, &error));
    EXPECT_EQ(conn, nullptr);
    return {error.code(), error.text()};
}

void sendRefusal(Peer& peer, const wire::Refusal& refusal) {
    std::array<std::byte, 256> buffer{};
    peer.sendBytes(wire::encodeRefusal(refusal, buffer));
}

TEST(Handshake, ConnectsAndDisconnects) {
    FakeSession session(FakeSession::plain());
    larodConnection* conn = nullptr;
    ErrorHolder error;
    ASSERT_TRUE(larodConnect(&conn, &error)) << error.text();
    ASSERT_NE(conn, nullptr);
    EXPECT_TRUE(larodDisconnect(&conn, &error)) << error.text();
    EXPECT_EQ(conn, nullptr);
    EXPECT_EQ(error.code(), LAROD_ERROR_NONE);
}

TEST(Handshake, ConnectWithoutAHandleFailsWithEinval) {
    ErrorHolder error;
    EXPECT_FALSE(larodConnect(nullptr, &error));
    EXPECT_EQ(error.code(), EINVAL);
}

TEST(Handshake, NoServiceIsAConnectionErrorThatNamesThePath) {
    ::setenv("LAROD_SOCKET", "/nonexistent/larod.sock", 1);
    ErrorHolder error;
    larodConnection* conn = nullptr;
    EXPECT_FALSE(larodConnect(&conn, &error));
    EXPECT_EQ(error.code(), LAROD_ERROR_CONNECTION);
    EXPECT_NE(error.text().find("/nonexistent/larod.sock"), std::string::npos);
    EXPECT_FALSE(larodConnect(&conn, nullptr));
}

TEST(Handshake, AVersionMismatchNamesBothVersions) {
    const Failed failed = connectTo([](Peer& peer) {
        peer.next();
        sendRefusal(peer, {77, wire::kMagic, LAROD_ERROR_VERSION_MISMATCH, "too old"});
    });
    EXPECT_EQ(failed.code, LAROD_ERROR_VERSION_MISMATCH);
    EXPECT_NE(failed.text.find("version 1"), std::string::npos);
    EXPECT_NE(failed.text.find("77"), std::string::npos);
}

TEST(Handshake, AnotherRefusalKeepsItsCodeAndText) {
    const Failed failed = connectTo([](Peer& peer) {
        peer.next();
        sendRefusal(peer, {wire::kProtocolVersion, wire::kMagic, LAROD_ERROR_PERMISSION, "not for you"});
    });
    EXPECT_EQ(failed.code, LAROD_ERROR_PERMISSION);
    EXPECT_NE(failed.text.find("not for you"), std::string::npos);
}

TEST(Handshake, ARefusalWithoutACodeIsAFailureToCreateTheSession) {
    for (const int32_t code : {int32_t{LAROD_ERROR_NONE}, INT32_MAX, INT32_MIN}) {
        const Failed failed = connectTo([code](Peer& peer) {
            peer.next();
            sendRefusal(peer, {wire::kProtocolVersion, wire::kMagic, code, "too many sessions"});
        });
        EXPECT_EQ(failed.code, LAROD_ERROR_CREATE_SESSION);
        EXPECT_NE(failed.text.find("too many sessions"), std::string::npos);
    }
}

TEST(Handshake, ARefusalMayComeBeforeTheHelloIsRead) {
    const Failed failed = connectTo([](Peer& peer) {
        sendRefusal(peer, {wire::kProtocolVersion, wire::kMagic, LAROD_ERROR_CREATE_SESSION, "busy"});
    });
    EXPECT_EQ(failed.code, LAROD_ERROR_CREATE_SESSION);
    EXPECT_NE(failed.text.find("busy"), std::string::npos);
}

TEST(Handshake, AFailureTellsWhySessionDied) {
    const Failed failed = connectTo([](Peer& peer) {
        peer.next();
        peer.fail(0, LAROD_ERROR_CREATE_SESSION, "out of processes");
    });
    EXPECT_EQ(failed.code, LAROD_ERROR_CREATE_SESSION);
    EXPECT_NE(failed.text.find("out of processes"), std::string::npos);
}

TEST(Handshake, APeerThatClosesIsAConnectionError) {
    EXPECT_EQ(connectTo([](Peer& peer) { peer.next(); }).code, LAROD_ERROR_CONNECTION);
}

TEST(Handshake, APeerThatSpeaksSomethingElseIsAConnectionError) {
    for (const size_t length : {size_t{1}, size_t{16}, size_t{100}, size_t{5000}}) {
        const Failed failed = connectTo([length](Peer& peer) {
            const std::vector<std::byte> garbage(length, std::byte{0x5a});
            peer.sendBytes(garbage);
        });
        EXPECT_EQ(failed.code, LAROD_ERROR_CONNECTION);
        EXPECT_NE(failed.text.find("does not speak"), std::string::npos);
    }
}

TEST(Handshake, AMalformedWelcomeIsAConnectionError) {
    EXPECT_EQ(connectTo([](Peer& peer) {
                  peer.next();
                  const wire::Header header{wire::MessageType::Welcome, 0, 0};
                  std::array<std::byte, 20> bytes{};
                  std::memcpy(bytes.data(), &header, wire::kHeaderBytes);
                  bytes[16] = std::byte{60};  // devices, which are not there
                  peer.sendBytes(bytes);
              }).code,
              LAROD_ERROR_CONNECTION);
}

TEST(Handshake, ASilentPeerIsGivenUpAtTheDeadline) {
    auto [ours, theirs] = wire::makeSocketPair();
    wire::Channel channel(std::move(ours));
    try {
        static_cast<void>(shakeHands(channel, std::chrono::milliseconds(1)));
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), LAROD_ERROR_CONNECTION);
    }
}

TEST(Device, IsFoundByExactNameAndInstance) {
    FakeSession session(FakeSession::plain());
    const TestConnection conn;
    ErrorHolder error;
    const larodDevice* device = larodGetDevice(conn, "first", 1, &error);
    ASSERT_NE(device, nullptr);
    EXPECT_EQ(device, larodGetDevice(conn, "first", 1, &error));
    EXPECT_STREQ(larodGetDeviceName(device, &error), "first");
    uint32_t instance = 0;
    EXPECT_TRUE(larodGetDeviceInstance(device, &instance, &error));
    EXPECT_EQ(instance, 1U);
    EXPECT_EQ(larodGetDevice(conn, "First", 0, &error), nullptr);
    EXPECT_EQ(error.code(), LAROD_ERROR_INVALID_CHIP_ID);
    EXPECT_EQ(larodGetDevice(conn, "first", 2, &error), nullptr);
    EXPECT_EQ(error.code(), LAROD_ERROR_INVALID_CHIP_ID);
}

TEST(Device, ListEndsWithNull) {
    FakeSession session(FakeSession::plain());
    const TestConnection conn;
    ErrorHolder error;
    size_t count = 0;
    const larodDevice** devices = larodListDevices(conn, &count, &error);
    ASSERT_EQ(count, 3U);
    EXPECT_EQ(devices[2], larodGetDevice(conn, "second", 0, &error));
    EXPECT_EQ(devices[3], nullptr);
}

TEST(Device, AServiceWithoutDevicesGivesAnEmptyArray) {
    FakeSession session([](Peer& peer) {
        peer.next();
        peer.send(0, wire::Welcome{});
        peer.expectDisconnect();
    });
    const TestConnection conn;
    size_t count = 1;
    const larodDevice** devices = larodListDevices(conn, &count, nullptr);
    ASSERT_NE(devices, nullptr);
    EXPECT_EQ(count, 0U);
    EXPECT_EQ(devices[0], nullptr);
}

TEST(Device, NullArgumentsFailWithEinval) {
    FakeSession session(FakeSession::plain());
    const TestConnection conn;
    ErrorHolder error;
    uint32_t instance = 42;
    EXPECT_EQ(larodGetDevice(nullptr, "first", 0, &error), nullptr);
    EXPECT_EQ(error.code(), EINVAL);
    EXPECT_EQ(larodGetDevice(conn, nullptr, 0, &error), nullptr);
    EXPECT_EQ(error.code(), EINVAL);
    EXPECT_EQ(larodGetDeviceName(nullptr, &error), nullptr);
    EXPECT_EQ(error.code(), EINVAL);
    EXPECT_FALSE(larodGetDeviceInstance(nullptr, &instance, &error));
    EXPECT_EQ(error.code(), EINVAL);
    EXPECT_EQ(instance, 42U);
    EXPECT_FALSE(larodGetDeviceInstance(larodGetDevice(conn, "first", 0, nullptr), nullptr, &error));
    EXPECT_EQ(error.code(), EINVAL);
    EXPECT_EQ(larodListDevices(conn, nullptr, &error), nullptr);
    EXPECT_EQ(error.code(), EINVAL);
    size_t count = 42;
    EXPECT_EQ(larodListDevices(nullptr, &count, &error), nullptr);
    EXPECT_EQ(error.code(), EINVAL);
    EXPECT_EQ(count, 42U);
}

}  // namespace
}  // namespace larod::client::testing
