// SPDX-License-Identifier: Apache-2.0
// One connection with the service: what stands behind a larodConnection.
//
// Who reads. There is one socket, and replies come in any order, so the thread that reads may get the replies of
// others. Reading is a token (`reading_`): its holder reads outside the lock, hands each reply to whom it belongs, and
// passes the token on when it leaves.
//
//   - A synchronous call takes the token when it is free and reads until its own reply is there: one sendmsg, one
//     recvmsg, no other thread. Otherwise it waits for its reply or for the token, whichever comes first.
//   - The callback thread exists from the first asynchronous request on. It takes the token while asynchronous requests
//     are outstanding, and has given it up whenever it is in a callback. With none outstanding it sleeps.
//   - A thread that can't send, because the pipe is full, takes the token and polls for both directions; if another
//     thread reads, it polls for writing and for the token's return. So nobody blocks in send while nobody reads, and
//     the session can always get rid of its replies.
//
// How it ends. When the service is gone, sends something malformed, or the application disconnects, end() fails
// everything that is outstanding; nothing ever waits on a connection that has ended.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/unique_fd.h"
#include "client/device.h"
#include "client/poll.h"
#include "client/request.h"
#include "client/tensor.h"
#include "larod.h"
#include "wire/channel.h"
#include "wire/messages.h"

namespace larod::client {

// How long larodDisconnect waits for the service to confirm. A session that still runs a longer job is cut off then,
// and the service ends it.
inline constexpr std::chrono::milliseconds kDisconnectTimeout{10'000};

// Thread: every method may be called from any thread; `mutex_` guards everything that changes after construction.
class Connection {
  public:
    // A channel on which the handshake has been made, and the devices that it brought.
    Connection(wire::Channel channel, const std::vector<wire::DeviceInfo>& devices);
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection();

    // Sends the request and waits for its reply. Throws what the session answered; Error(LAROD_ERROR_CONNECTION) when
    // the connection has ended or ends; Error(EDEADLK) on the callback thread.
    void call(const Request& request, Reply& reply) { callUntil(request, reply, std::nullopt); }

    template <class Message>
    Message call(const Request& request) {
        MessageReply<Message> reply;
        call(request, reply);
        return std::move(reply.message);
    }

    // Sends the request; its outcome will be given to async->finish() on the callback thread. Throws, and then does not
    // keep `async`, where the request could not be sent.
    void start(const Request& request, std::unique_ptr<AsyncRequest> async);

    // Ends the session. Returns when every callback has run. Throws Error(LAROD_ERROR_KILL_SESSION) where the service
    // did not confirm in time; the connection has ended all the same. Not on the callback thread.
    void disconnect(std::chrono::milliseconds timeout);

    // Ends the connection because the peer broke the protocol, and throws Error(LAROD_ERROR_CONNECTION).
    [[noreturn]] void throwProtocolFault(std::string_view what);

    [[nodiscard]] bool onCallbackThread() const;

    // Fixed for the life of the connection; devicePointers() has a nullptr after the last one.
    [[nodiscard]] const std::vector<larodDevice>& devices() const noexcept { return devices_; }
    [[nodiscard]] std::vector<const larodDevice*>& devicePointers() noexcept { return devicePointers_; }

    // A number that no other connection of this process has.
    [[nodiscard]] uint64_t serial() const noexcept { return serial_; }

  private:
    using Lock = std::unique_lock<std::mutex>;
    using AsyncRequests = std::map<uint64_t, std::unique_ptr<AsyncRequest>>;

    // A synchronous call that waits, on the stack of its thread.
    struct Call {
        uint64_t requestId;
        Reply& reply;
        bool done = false;
        std::condition_variable wake{};  // its reply is there, or the token is free
    };

    void callUntil(const Request& request, Reply& reply, Deadline deadline);
    uint64_t send(Lock& lock, const Request& request, bool synchronous, Deadline deadline);
    uint64_t trySend(Lock& lock, const Request& request, bool synchronous, Deadline deadline);
    bool waitUntilWritable(Lock& lock, bool socketIsWritable, Deadline deadline);
    void readToEnd(Lock& lock);

    // Reading; all with the token free before and after, and the lock held before and after.
    void readOne(Lock& lock, Deadline deadline);
    bool readOrWritable(Lock& lock, short writeEvents, Deadline deadline);
    template <typename Receive>
    void withToken(Lock& lock, Receive&& receive);
    void dispatch(wire::Received received) noexcept;
    void dispatchMessage();
    void deliver(const wire::Header& header, Reply& reply);
    void passToken() noexcept;

    void end(std::string_view reason, std::string_view detail = {}) noexcept;
    void throwIfEnded() const;
    void noteThread() noexcept;
    void startCallbackThread();
    void runCallbacks() noexcept;

    wire::Channel channel_;
    std::vector<larodDevice> devices_;
    std::vector<const larodDevice*> devicePointers_;
    const uint64_t serial_;
    const bool explains_;  // LAROD_DEBUG: what the service tells about jobs goes to stderr

    mutable std::mutex mutex_;
    SendBuffer sendBuffer_;
    uint64_t nextRequestId_ = 1;
    std::vector<Call*> calls_;
    AsyncRequests pending_;               // sent, by request id
    AsyncRequests finished_;              // to be called back, in the order of their completion
    uint64_t completions_ = 0;            // keys of finished_
    bool reading_ = false;                // the token is taken
    wire::Datagram incoming_;             // belongs to the holder of the token
    size_t blockedSenders_ = 0;           // threads in waitUntilWritable() without the token
    UniqueFd tokenFreed_;                 // eventfd that wakes them; made when the first one needs it
    std::condition_variable tokenOrEnd_;  // for readToEnd()

    bool ended_ = false;
    std::string endReason_;  // from a Failure with request id 0
    std::string endText_;

    std::thread::id firstThread_;  // the first that sent a request
    bool severalThreads_ = false;

    std::thread callbackThread_;
    std::thread::id callbackThreadId_;
    std::condition_variable callbackWake_;
    bool inCallback_ = false;
    bool stopping_ = false;
};

}  // namespace larod::client

struct larodConnection final : larod::client::Connection {
    using Connection::Connection;

    const std::shared_ptr<larod::client::FdShelf> fdShelf = std::make_shared<larod::client::FdShelf>();

    // What API version 1 calls the current chip: one of devices(), or nullptr as long as the application chose none.
    std::atomic<const larodDevice*> chosenDevice{nullptr};
};
