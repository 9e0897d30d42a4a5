// SPDX-License-Identifier: Apache-2.0
// A session as its client sees it: the handshake, and bad messages.
#include "session/session.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "unit/session/session_fixture.h"

namespace larod::session {
namespace {

using test::Answer;
using test::code;
using test::kFirst;
using test::SessionTest;

// ---- The handshake

TEST_F(SessionTest, WelcomesWithItsDevices) {
    device(kFirst).filesOnly = true;
    start();
    std::array<std::byte, 64> buffer;
    sendBytes(wire::encodeHello({}, buffer));
    const auto welcome = receive().as<wire::Welcome>();
    ASSERT_EQ(welcome.devices.size(), 3U);
    EXPECT_EQ(welcome.devices[0].name, "first");
    EXPECT_EQ(welcome.devices[1].name, "second");
    EXPECT_EQ(welcome.devices[2].name, "alias");
    for (const wire::DeviceInfo& info : welcome.devices) {
        EXPECT_EQ(info.takesFile, info.name == "first") << info.name;
    }
}

TEST_F(SessionTest, RefusesAnotherVersionInBytesThatAnyVersionReads) {
    start();
    struct {
        uint32_t type = 1;
        uint32_t version = 7;
        uint64_t magic = wire::kMagic;
    } hello;
    sendBytes(std::as_bytes(std::span(&hello, 1)));
    const Answer answer = receive();
    struct {
        uint32_t type;
        uint32_t version;
        uint64_t magic;
        int32_t code;
        uint32_t length;
    } refusal;
    ASSERT_GE(answer.bytes.size(), sizeof(refusal));
    std::memcpy(&refusal, answer.bytes.data(), sizeof(refusal));
    EXPECT_EQ(refusal.type, 2U);
    EXPECT_EQ(refusal.version, wire::kProtocolVersion);
    EXPECT_EQ(refusal.magic, wire::kMagic);
    EXPECT_EQ(refusal.code, LAROD_ERROR_VERSION_MISMATCH);
    EXPECT_EQ(refusal.length, answer.bytes.size() - sizeof(refusal));
    EXPECT_EQ(receive().header.type, wire::MessageType{});
    waitUntilEnded();
}

TEST_F(SessionTest, RefusesWhoeverDoesNotSayHello) {
    start();
    sendAs(1, wire::GetNumSessions{});
    const auto refusal = wire::decodeRefusal(receive().bytes);
    ASSERT_TRUE(refusal);
    EXPECT_EQ(refusal->code, LAROD_ERROR_CONNECTION);
    waitUntilEnded();
}

TEST_F(SessionTest, EndsWithAClientThatNeverSpeaks) {
    start();
    hangUp();
    waitUntilEnded();
}

TEST_F(SessionTest, EndsWhereItsClientSaysNothingForTooLong) {
    options.helloTimeout = std::chrono::milliseconds(20);
    start();
    waitUntilEnded();
    EXPECT_EQ(receive().header.type, wire::MessageType{});
    EXPECT_EQ(page.greeted, 0U);
}

// ---- Bad messages

TEST_F(SessionTest, AnUnknownRequestEndsTheSessionAndSaysWhy) {
    greet();
    struct {
        uint32_t type = 9999;
        uint32_t reserved = 0;
        uint64_t requestId = 5;
    } message;
    sendBytes(std::as_bytes(std::span(&message, 1)));
    const Answer answer = receive();
    EXPECT_EQ(answer.header.requestId, 0U);
    EXPECT_EQ(answer.failure(), code(LAROD_ERROR_CONNECTION) + "message type 9999 is unknown to this service");
    waitUntilEnded();
}

TEST_F(SessionTest, AMessageWithoutAHeaderEndsTheSession) {
    greet();
    const std::array<std::byte, 15> bytes{};
    sendBytes(bytes);
    const Answer answer = receive();
    EXPECT_EQ(answer.header.requestId, 0U);
    EXPECT_EQ(answer.failure(), code(LAROD_ERROR_CONNECTION) + "a message of 15 bytes has no header");
    waitUntilEnded();
}

TEST_F(SessionTest, AMessageThatIsLargerThanAnyEndsTheSession) {
    greet();
    const std::vector<std::byte> bytes(wire::kMaxDatagramBytes + 1);
    const int room = 1 << 20;
    ::setsockopt(client->fd(), SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
    sendBytes(bytes);
    const Answer answer = receive();
    EXPECT_EQ(answer.header.requestId, 0U);
    EXPECT_EQ(answer.failure().rfind(code(LAROD_ERROR_CONNECTION) + "a message was larger than", 0), 0U);
    waitUntilEnded();
}

class CutOffMessage : public SessionTest, public ::testing::WithParamInterface<size_t> {};

TEST_P(CutOffMessage, EndsTheSession) {
    std::vector<std::byte> buffer(1000);
    std::span<const std::byte> whole;
    switch (GetParam() % 4) {
        case 0:
            whole = wire::encode(job(1, 2, 3), 1, buffer);
            break;
        case 1: {
            wire::LoadModel load;
            load.name = "name";
            load.hasParams = true;
            load.params.set("key", std::string("value"));
            whole = wire::encode(load, 1, buffer);
            break;
        }
        case 2:
            whole = wire::encode(wire::TrackTensor{}, 1, buffer);
            break;
        default:
            whole = wire::encode(wire::ReleaseTensors{{1, 2}}, 1, buffer);
    }
    // The header, and part of the rest.
    const size_t body = whole.size() - wire::kHeaderBytes;
    const size_t cut = wire::kHeaderBytes + body * (GetParam() / 4) / 5;
    greet();
    sendBytes(whole.first(cut));
    const Answer answer = receive();
    EXPECT_EQ(answer.header.requestId, 0U);
    EXPECT_EQ(answer.failure().rfind(code(LAROD_ERROR_CONNECTION) + "malformed message", 0), 0U);
    waitUntilEnded();
}

INSTANTIATE_TEST_SUITE_P(Session, CutOffMessage, ::testing::Range(size_t{0}, size_t{20}));

TEST_F(SessionTest, ClosesTheFdsOfARequestThatItRefuses) {
    greet();
    const uint64_t model = loadModel(kFirst);
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    const UniqueFd readEnd(ends[0]);
    UniqueFd writeEnd(ends[1]);
    wire::RunJob request;
    request.modelId = model;
    request.inputs.resize(1);
    request.outputs.resize(2);  // one too many
    const std::array<int, 2> fds = {writeEnd.get(), writeEnd.get()};
    EXPECT_EQ(ask(request, fds).failure().rfind(code(LAROD_ERROR_TENSOR_MISMATCH), 0), 0U);
    writeEnd.reset();
    // The end of the pipe is seen when the session has none of its fds any more.
    pollfd closed = {readEnd.get(), POLLIN, 0};
    EXPECT_EQ(::poll(&closed, 1, 10'000), 1) << "the session keeps an fd of a request that it refused";
}

TEST_F(SessionTest, ClosesFdsThatNoRequestAskedFor) {
    greet();
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    const UniqueFd readEnd(ends[0]);
    UniqueFd writeEnd(ends[1]);
    const int fd = writeEnd.get();
    EXPECT_EQ(ask(wire::GetNumSessions{}, {&fd, 1}).as<wire::NumSessions>().count, 1U);
    writeEnd.reset();
    pollfd closed = {readEnd.get(), POLLIN, 0};
    EXPECT_EQ(::poll(&closed, 1, 10'000), 1);
}

TEST_F(SessionTest, EndsWhenTheArbiterIsGone) {
    greet();
    arbiter->shutdown();
    send(wire::GetNumSessions{});
    const Answer answer = receive();
    EXPECT_EQ(answer.header.requestId, 0U);
    EXPECT_EQ(answer.failure().rfind(code(LAROD_ERROR_CONNECTION), 0), 0U);
    waitUntilEnded();
}

TEST_F(SessionTest, PassesQuestionsAndRefusalsOn) {
    greet();
    EXPECT_EQ(ask(wire::GetNumSessions{}).as<wire::NumSessions>().count, 1U);
    EXPECT_EQ(ask(wire::GetModels{}).as<wire::Models>().models.size(), 0U);
    EXPECT_EQ(ask(wire::GetModel{3}).failure(), code(LAROD_ERROR_MODEL_NOT_FOUND) + "there is no model with id 3");
}

}  // namespace
}  // namespace larod::session
