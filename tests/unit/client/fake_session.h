// SPDX-License-Identifier: Apache-2.0
// The other end of a connection under test: threads that speak the protocol as a test's script says.
#pragma once

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/unique_fd.h"
#include "larod.h"
#include "wire/channel.h"
#include "wire/codec.h"
#include "wire/messages.h"

namespace larod::client::testing {

struct PeerClosed : std::runtime_error {
    PeerClosed() : std::runtime_error("the client closed its end") {}
};

template <class Message>
struct Got {
    uint64_t id = 0;
    Message message;
    std::vector<UniqueFd> fds;
};

// The session's end of one connection. Used by the thread of its script.
class Peer {
  public:
    explicit Peer(UniqueFd socket)
        : channel_(std::move(socket)), buffer_(std::make_unique_for_overwrite<std::byte[]>(wire::kMaxDatagramBytes)) {}

    // Takes the Hello, and sends a Welcome with three devices: "first" 0, "first" 1, "second" 0.
    void welcome();

    // Takes the next message. Throws PeerClosed at the end.
    wire::Header next();

    // Takes the next message, which must be this one.
    template <class Message>
    Got<Message> expect() {
        const wire::Header header = next();
        if (header.type != Message::kType) {
            throw std::runtime_error("expected message type " + std::to_string(static_cast<int>(Message::kType)) +
                                     ", got " + std::to_string(static_cast<int>(header.type)));
        }
        return decode<Message>(header);
    }

    template <class Message>
    Got<Message> decode(const wire::Header& header) {
        Got<Message> got;
        got.id = header.requestId;
        wire::decode(datagram_.bytes(), got.message);
        got.fds = std::move(datagram_.fds);
        return got;
    }

    template <class Message>
    void send(uint64_t id, const Message& message, const std::vector<int>& fds = {}) {
        sendBytes(wire::encode(message, id, {buffer_.get(), wire::kMaxDatagramBytes}), fds);
    }
    void fail(uint64_t id, int code, const std::string& text) { send(id, wire::Failure{code, text}); }
    void sendBytes(std::span<const std::byte> bytes, const std::vector<int>& fds = {}) {
        static_cast<void>(channel_.send(bytes, fds, wire::Wait::Yes));
    }

    // Answers requests in the plain way, until a Disconnect, which it answers too: loads and finds testModel(),
    // allocates memfds, tracks with ids from 1, runs jobs at once.
    void serve();

    // Answers the Disconnect that must come now.
    void expectDisconnect() { send(expect<wire::Disconnect>().id, wire::Done{}); }

    void waitForClose();

    // Waits until as many messages of the size of the last one are unread as the socket takes.
    void waitUntilFull();
    [[nodiscard]] wire::Channel& channel() noexcept { return channel_; }

  private:
    wire::Channel channel_;
    wire::Datagram datagram_;
    std::unique_ptr<std::byte[]> buffer_;
    uint64_t nextTrackingId_ = 1;
};

// Two inputs: "in0" NHWC uint8 (1, 2, 3, 4) and "in1" float32 (1, 5). One output: "out" float32 (1, 10). Id 7, on
// device 0, private, of 1000 bytes, called "test model".
wire::ModelInfo testModel();

using Script = std::function<void(Peer&)>;

// Listens on a socket in a folder of its own and makes LAROD_SOCKET name it. The n-th connection is served by the n-th
// script in a thread of its own. A script that throws fails the test, except by PeerClosed.
class FakeSession {
  public:
    explicit FakeSession(std::vector<Script> scripts);
    explicit FakeSession(Script script) : FakeSession(std::vector<Script>{std::move(script)}) {}
    FakeSession(const FakeSession&) = delete;
    FakeSession& operator=(const FakeSession&) = delete;
    ~FakeSession();

    // Welcomes and then serves.
    static Script plain() {
        return [](Peer& peer) {
            peer.welcome();
            peer.serve();
        };
    }

  private:
    std::filesystem::path folder_;
    UniqueFd listener_;
    std::vector<std::thread> threads_;
    std::thread acceptor_;
};

// Waits for events between threads of a test.
class Event {
  public:
    void set() {
        const std::lock_guard lock(mutex_);
        ++count_;
        changed_.notify_all();
    }
    // False when it has not been set `times` times after a time that no machine needs.
    [[nodiscard]] bool wait(int times = 1) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, std::chrono::seconds(30), [&] { return count_ >= times; });
    }
    [[nodiscard]] int count() {
        const std::lock_guard lock(mutex_);
        return count_;
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    int count_ = 0;
};

// An error object and its release. Can be passed to one call after another.
class ErrorHolder {
  public:
    ErrorHolder() = default;
    ErrorHolder(const ErrorHolder&) = delete;
    ErrorHolder& operator=(const ErrorHolder&) = delete;
    ~ErrorHolder() { larodClearError(&error_); }

    larodError** operator&() {  // NOLINT: reads as in a program
        larodClearError(&error_);
        return &error_;
    }
    [[nodiscard]] int code() const { return error_ == nullptr ? LAROD_ERROR_NONE : static_cast<int>(error_->code); }
    [[nodiscard]] std::string text() const { return error_ == nullptr ? "" : error_->msg; }

  private:
    larodError* error_ = nullptr;
};

// A connection to the FakeSession of the test, closed in the end.
class TestConnection {
  public:
    TestConnection() {
        ErrorHolder error;
        EXPECT_TRUE(larodConnect(&conn_, &error)) << error.text();
    }
    TestConnection(const TestConnection&) = delete;
    TestConnection& operator=(const TestConnection&) = delete;
    ~TestConnection() { larodDisconnect(&conn_, nullptr); }

    operator larodConnection*() const { return conn_; }  // NOLINT: reads as in a program
    larodConnection** address() { return &conn_; }

    // testModel(), loaded. To be destroyed by the caller.
    larodModel* load() {
        ErrorHolder error;
        const larodDevice* device = larodGetDevice(conn_, "first", 0, &error);
        larodMap* map = larodCreateMap(nullptr);
        larodModel* model = larodLoadModel(conn_, -1, device, LAROD_ACCESS_PRIVATE, "m", map, &error);
        EXPECT_NE(model, nullptr) << error.text();
        larodDestroyMap(&map);
        return model;
    }

  private:
    larodConnection* conn_ = nullptr;
};

// A request without tensors for testModel()'s id.
class TestRequest {
  public:
    explicit TestRequest(larodModel* model)
        : request_(larodCreateJobRequest(model, nullptr, 0, nullptr, 0, nullptr, nullptr)) {
        EXPECT_NE(request_, nullptr);
    }
    TestRequest(const TestRequest&) = delete;
    TestRequest& operator=(const TestRequest&) = delete;
    ~TestRequest() { larodDestroyJobRequest(&request_); }
    operator larodJobRequest*() const { return request_; }  // NOLINT: reads as in a program

  private:
    larodJobRequest* request_;
};

// A memfd with this many bytes.
UniqueFd makeFile(size_t sizeBytes = 16);

// What callbacks of jobs report.
class JobOutcomes {
  public:
    static void callback(void* self, larodError* error) { static_cast<JobOutcomes*>(self)->add(error); }

    [[nodiscard]] bool wait(int times) { return event_.wait(times); }
    [[nodiscard]] std::vector<int> codes() {
        const std::lock_guard lock(mutex_);
        return codes_;
    }
    [[nodiscard]] std::vector<std::string> texts() {
        const std::lock_guard lock(mutex_);
        return texts_;
    }

  private:
    void add(larodError* error) {
        {
            const std::lock_guard lock(mutex_);
            codes_.push_back(error == nullptr ? 0 : static_cast<int>(error->code));
            texts_.emplace_back(error == nullptr ? "" : error->msg);
        }
        event_.set();
    }

    std::mutex mutex_;
    std::vector<int> codes_;
    std::vector<std::string> texts_;
    Event event_;
};

}  // namespace larod::client::testing
