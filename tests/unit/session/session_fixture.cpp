// SPDX-License-Identifier: Apache-2.0
#include "unit/session/session_fixture.h"

#include <poll.h>

#include <chrono>

#include "device/stand_in.h"

namespace larod::session::test {
namespace {

constexpr int kLongMs = 60'000;

}  // namespace

std::string Answer::failure() const {
    if (header.type != wire::Failure::kType) {
        return "";
    }
    const auto failure = as<wire::Failure>();
    return std::to_string(failure.code) + ": " + failure.text;
}

SessionFixture::SessionFixture() {
    std::vector<std::unique_ptr<device::Device>> devices;
    devices.push_back(std::make_unique<FakeDevice>("first"));
    devices.push_back(std::make_unique<FakeDevice>("second"));
    devices.push_back(device::makeStandIn("alias", *devices.back()));
    devices_ = device::DeviceList(std::move(devices));
    auto [clientEnd, sessionEnd] = wire::makeSocketPair();
    auto [arbiterEnd, controlEnd] = wire::makeSocketPair();
    client = std::make_unique<wire::Channel>(std::move(clientEnd));
    arbiter = std::make_unique<FakeArbiter>(std::move(arbiterEnd), page);
    sessionClient_ = std::move(sessionEnd);
    sessionControl_ = std::move(controlEnd);
}

SessionFixture::~SessionFixture() {
    endSession();
}

void SessionFixture::endSession() {
    if (serving_.valid()) {
        hangUp();
        waitUntilEnded();
    }
}

void SessionFixture::start() {
    serving_ = std::async(std::launch::async, [this] {
        Session session(std::move(sessionClient_), std::move(sessionControl_), devices_, page, servicePage, options);
        session.serve();
    });
}

void SessionFixture::greet() {
    start();
    std::array<std::byte, 64> buffer;
    sendBytes(wire::encodeHello({}, buffer));
    const auto welcome = receive().as<wire::Welcome>();
    ASSERT_EQ(welcome.devices.size(), 3U);
}

void SessionFixture::hangUp() {
    client->shutdown();
}

void SessionFixture::waitUntilEnded() {
    if (serving_.wait_for(std::chrono::milliseconds(kLongMs)) != std::future_status::ready) {
        ADD_FAILURE() << "the session does not end";
        std::abort();  // its threads use this object
    }
    serving_.get();
}

bool SessionFixture::hasEnded() {
    return serving_.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
}

void SessionFixture::sendBytes(std::span<const std::byte> bytes, std::span<const int> fds) {
    EXPECT_EQ(client->send(bytes, fds, wire::Wait::Yes), wire::Sent::Yes);
}

Answer SessionFixture::receive() {
    pollfd readable = {client->fd(), POLLIN, 0};
    if (::poll(&readable, 1, kLongMs) != 1) {
        ADD_FAILURE() << "the session does not answer";
        return {};
    }
    if (client->receive(datagram_, wire::Wait::Yes) != wire::Received::Message) {
        return {};
    }
    Answer answer;
    answer.header = wire::decodeHeader(datagram_.bytes()).value_or(wire::Header{});
    answer.bytes.assign(datagram_.bytes().begin(), datagram_.bytes().end());
    answer.fds = std::move(datagram_.fds);
    return answer;
}

uint64_t SessionFixture::loadModel(uint32_t onDevice, larodAccess access) {
    wire::LoadModel request;
    request.device = onDevice;
    request.access = access;
    request.hasParams = true;
    request.name = "model";
    return ask(request).as<wire::Model>().model.id;
}

uint64_t SessionFixture::track(const UniqueFd& fd) {
    const int number = fd.get();
    return ask(wire::TrackTensor{{0, 0, LAROD_FD_TYPE_DISK}}, {&number, 1}).as<wire::TensorTracked>().trackingId;
}

wire::RunJob SessionFixture::job(uint64_t modelId, uint64_t input, uint64_t output, uint8_t priority) {
    wire::RunJob request;
    request.modelId = modelId;
    request.priority = priority;
    request.inputs.resize(1);
    request.inputs[0].trackingId = input;
    request.outputs.resize(1);
    request.outputs[0].trackingId = output;
    return request;
}

}  // namespace larod::session::test
