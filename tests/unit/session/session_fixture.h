// SPDX-License-Identifier: Apache-2.0
// A session between a test that plays the client and a fake arbiter, on two fake devices, of which the second has a
// further name.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstring>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "session/session.h"
#include "unit/session/fake_arbiter.h"
#include "unit/session/fake_device.h"
#include "wire/codec.h"

namespace larod::session::test {

constexpr uint32_t kFirst = 0;
constexpr uint32_t kSecond = 1;
constexpr uint32_t kSecondsAlias = 2;  // a listed device; its unit is kSecond

// What came from the session.
struct Answer {
    wire::Header header;
    std::vector<std::byte> bytes;
    std::vector<UniqueFd> fds;

    [[nodiscard]] bool is(wire::MessageType type, uint64_t requestId) const {
        return header.type == type && header.requestId == requestId;
    }
    template <typename Message>
    [[nodiscard]] Message as() const {
        Message message;
        if (header.type != Message::kType) {
            ADD_FAILURE() << "message " << static_cast<uint32_t>(header.type) << " instead of "
                          << static_cast<uint32_t>(Message::kType);
            return message;
        }
        wire::decode(bytes, message);
        return message;
    }
    // "code: text" of a Failure; the empty string for any other message.
    [[nodiscard]] std::string failure() const;
};

// What failure() starts with.
inline std::string code(int value) {
    return std::to_string(value) + ": ";
}

// Stops threads until a test lets them go on.
class Gate {
  public:
    // Called by the thread that is to stop.
    void pass() {
        std::unique_lock lock(mutex_);
        ++arrived_;
        changed_.notify_all();
        changed_.wait(lock, [this] { return open_; });
    }
    void open() {
        const std::lock_guard lock(mutex_);
        open_ = true;
        changed_.notify_all();
    }
    // False where nobody comes in a time that no machine needs.
    [[nodiscard]] bool waitForArrivals(size_t count) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, std::chrono::minutes(1), [&] { return arrived_ >= count; });
    }

  private:
    std::mutex mutex_;  // guards what follows
    std::condition_variable changed_;
    size_t arrived_ = 0;
    bool open_ = false;
};

class SessionFixture : public ::testing::Test {
  protected:
    SessionFixture();
    ~SessionFixture() override;

    FakeDevice& device(uint32_t unit) { return static_cast<FakeDevice&>(devices_.unit(unit)); }

    void start();   // the session serves from now on
    void greet();   // ... and the handshake is done
    void hangUp();  // the client is gone
    void waitUntilEnded();
    void endSession();  // all of that, if it still serves: before what it uses goes
    [[nodiscard]] bool hasEnded();

    // Sends a request and returns its id.
    template <typename Message>
    uint64_t send(const Message& message, std::span<const int> fds = {}) {
        return sendAs(++lastId_, message, fds);
    }
    template <typename Message>
    uint64_t sendAs(uint64_t id, const Message& message, std::span<const int> fds = {}) {
        sendBytes(wire::encode(message, id, {buffer_.get(), wire::kMaxDatagramBytes}), fds);
        return id;
    }
    void sendBytes(std::span<const std::byte> bytes, std::span<const int> fds = {});

    // The next message from the session; type 0 where it has hung up.
    Answer receive();
    // The answer to a request that is sent now, while no other one is out.
    template <typename Message>
    Answer ask(const Message& message, std::span<const int> fds = {}) {
        const uint64_t id = send(message, fds);
        Answer answer = receive();
        EXPECT_EQ(answer.header.requestId, id);
        return answer;
    }

    // Returns when the session has read everything that was sent.
    void sync() { EXPECT_EQ(ask(wire::GetNumSessions{}).header.type, wire::NumSessions::kType); }

    uint64_t loadModel(uint32_t onDevice, larodAccess access = LAROD_ACCESS_PRIVATE);
    uint64_t track(const UniqueFd& fd);
    // A job on two tracked tensors.
    [[nodiscard]] static wire::RunJob job(uint64_t modelId, uint64_t input, uint64_t output, uint8_t priority = 50);

    SessionOptions options;  // of a session that starts later
    ServicePage servicePage;
    StatusPage page;
    std::unique_ptr<FakeArbiter> arbiter;
    std::unique_ptr<wire::Channel> client;

  private:
    device::DeviceList devices_;
    UniqueFd sessionClient_;
    UniqueFd sessionControl_;
    std::unique_ptr<std::byte[]> buffer_ = std::make_unique<std::byte[]>(wire::kMaxDatagramBytes);
    wire::Datagram datagram_;
    uint64_t lastId_ = 0;
    std::future<void> serving_;
};

class SessionTest : public SessionFixture {
  protected:
    // Output i gets the bytes of input i.
    void echo(uint32_t index) {
        device(index).onRun = [](const device::JobIo& io) {
            std::memcpy(memoryOf(io.outputs[0]).data(), memoryOf(io.inputs[0]).data(), 16);
        };
    }
};

}  // namespace larod::session::test
