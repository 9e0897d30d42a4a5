// SPDX-License-Identifier: Apache-2.0
#include "client/connection.h"

#include <fmt/format.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <utility>

#include "client/failure_code.h"
#include "wire/codec.h"

namespace larod::client {
namespace {

// The kernel counts fds in flight by user, over all sockets, and nothing tells when there is room again.
constexpr std::chrono::milliseconds kFdRoomRetry{5};

uint64_t newSerial() noexcept {
    static std::atomic<uint64_t> last{0};
    return ++last;
}

bool debugWanted() noexcept {
    const char* value = ::secure_getenv("LAROD_DEBUG");
    return value != nullptr && std::strcmp(value, "1") == 0;
}

}  // namespace

Connection::Connection(wire::Channel channel, const std::vector<wire::DeviceInfo>& devices)
    : channel_(std::move(channel)), serial_(newSerial()), explains_(debugWanted()) {
    devices_.reserve(devices.size());
    for (const wire::DeviceInfo& device : devices) {
        devices_.push_back({device.name, device.instance, static_cast<uint32_t>(devices_.size()), device.takesFile});
    }
    for (const larodDevice& device : devices_) {
        devicePointers_.push_back(&device);
    }
    devicePointers_.push_back(nullptr);
}

Connection::~Connection() {
    std::thread thread;
    {
        const Lock lock(mutex_);
        end("the connection was closed by the application");
        stopping_ = true;
        callbackWake_.notify_one();
        thread = std::move(callbackThread_);
    }
    if (thread.joinable()) {
        thread.join();
    }
}

void Connection::callUntil(const Request& request, Reply& reply, Deadline deadline) {
    Lock lock(mutex_);
    if (callbackThreadId_ == std::this_thread::get_id()) {
        throw Error(EDEADLK, "a blocking call inside a callback of the same connection would wait for itself");
    }
    calls_.reserve(calls_.size() + 1);  // so that nothing can fail between sending and waiting
    Call call{send(lock, request, true, deadline), reply};
    calls_.push_back(&call);
    while (!call.done) {
        if (!reading_) {
            readOne(lock, deadline);
        } else if (!deadline) {
            call.wake.wait(lock, [&] { return call.done || !reading_; });
        } else {
            call.wake.wait_until(lock, *deadline, [&] { return call.done || !reading_; });
        }
        if (!call.done && deadline && Clock::now() >= *deadline) {
            end("the service did not answer in time");
        }
    }
    std::erase(calls_, &call);
    passToken();
    if (reply.lost) {
        throwIfEnded();
    }
    if (reply.failure) {
        throw std::move(*reply.failure);
    }
}

void Connection::start(const Request& request, std::unique_ptr<AsyncRequest> async) {
    AsyncRequests fresh;
    auto node = fresh.extract(fresh.emplace(0, std::move(async)).first);
    Lock lock(mutex_);
    throwIfEnded();
    startCallbackThread();
    node.key() = send(lock, request, false, std::nullopt);
    pending_.insert(std::move(node));
    passToken();
}

uint64_t Connection::send(Lock& lock, const Request& request, bool synchronous, Deadline deadline) {
    try {
        return trySend(lock, request, synchronous, deadline);
    } catch (...) {
        passToken();  // it may have been freed for this thread
        throw;
    }
}

// Gives the id under which the request was sent. Ids grow in the order of sending, so one is taken only with the
// attempt that succeeds.
uint64_t Connection::trySend(Lock& lock, const Request& request, bool synchronous, Deadline deadline) {
    noteThread();
    bool socketIsWritable = false;
    for (;;) {
        throwIfEnded();
        const bool nothingElse = calls_.empty() && pending_.empty() && finished_.empty() && !inCallback_;
        const SendContext context = {nextRequestId_, serial_, synchronous && nothingElse && !severalThreads_,
                                     explains_};
        const auto bytes = request.encode(context, sendBuffer_);
        wire::Sent sent = wire::Sent::PeerGone;
        try {
            sent = channel_.send(bytes, sendBuffer_.fds, wire::Wait::No);
        } catch (const Error& error) {
            if (error.code() == LAROD_ERROR_FD) {
                request.throwIfFdClosed(serial_);
            }
            if (error.code() == LAROD_ERROR_CONNECTION) {
                end(error.text());
            }
            throw;
        }
        switch (sent) {
            case wire::Sent::Yes:
                return nextRequestId_++;
            case wire::Sent::PeerGone:
                readToEnd(lock);
                break;
            case wire::Sent::WouldBlock:
                socketIsWritable = waitUntilWritable(lock, socketIsWritable, deadline);
                if (deadline && Clock::now() >= *deadline) {
                    end("the service did not read its requests in time");
                }
                break;
        }
    }
}

// Returns when sending may work, or something else has happened in the meantime; true where the socket says that it is
// writable. `socketIsWritable`: it said so before, and sending would block all the same, for fds in flight.
bool Connection::waitUntilWritable(Lock& lock, bool socketIsWritable, Deadline deadline) {
    short events = POLLOUT;
    if (socketIsWritable) {
        events = 0;
        deadline = std::min(deadline.value_or(Clock::time_point::max()), Clock::now() + kFdRoomRetry);
    }
    if (!reading_) {
        const bool writable = readOrWritable(lock, events, deadline);
        passToken();
        return writable;
    }
    if (!tokenFreed_) {
        tokenFreed_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
        if (!tokenFreed_) {
            throw Error(errno, "can't wait until the service reads: {}", errnoText(errno));
        }
    }
    ++blockedSenders_;
    lock.unlock();
    pollfd fds[] = {{channel_.fd(), events, 0}, {tokenFreed_.get(), POLLIN, 0}};
    pollUntil(fds, deadline);
    lock.lock();
    --blockedSenders_;
    uint64_t count = 0;
    [[maybe_unused]] const ssize_t size = ::read(tokenFreed_.get(), &count, sizeof(count));
    return (fds[0].revents & POLLOUT) != 0;
}

// The peer is gone, but what it sent before may say why. After the shutdown every read gives what is there and then the
// end, so nothing here waits.
void Connection::readToEnd(Lock& lock) {
    channel_.shutdown();
    while (!ended_) {
        if (!reading_) {
            readOne(lock, std::nullopt);
        } else {
            tokenOrEnd_.wait(lock, [this] { return ended_ || !reading_; });
        }
    }
}

template <typename Receive>
void Connection::withToken(Lock& lock, Receive&& receive) {
    reading_ = true;
    lock.unlock();
    wire::Received received = wire::Received::WouldBlock;
    std::exception_ptr fault;
    try {
        received = receive();
    } catch (...) {
        fault = std::current_exception();
    }
    lock.lock();
    if (fault) {
        try {
            std::rethrow_exception(fault);
        } catch (const std::exception& error) {
            end(error.what());
        }
    } else {
        dispatch(received);  // `incoming_` is ours until the lock is released
    }
    reading_ = false;
}

void Connection::readOne(Lock& lock, Deadline deadline) {
    withToken(lock, [this, deadline] {
        if (deadline) {
            pollfd readable = {channel_.fd(), POLLIN, 0};
            if (!pollUntil({&readable, 1}, deadline)) {
                return wire::Received::WouldBlock;
            }
        }
        return channel_.receive(incoming_, deadline ? wire::Wait::No : wire::Wait::Yes);
    });
}

// Reads one message if one comes first; true where the socket is writable.
bool Connection::readOrWritable(Lock& lock, short writeEvents, Deadline deadline) {
    pollfd both = {channel_.fd(), static_cast<short>(POLLIN | writeEvents), 0};
    withToken(lock, [&] {
        pollUntil({&both, 1}, deadline);
        return (both.revents & ~POLLOUT) != 0 ? channel_.receive(incoming_, wire::Wait::No)
                                              : wire::Received::WouldBlock;
    });
    return (both.revents & POLLOUT) != 0;
}

void Connection::dispatch(wire::Received received) noexcept {
    switch (received) {
        case wire::Received::WouldBlock:
            return;
        case wire::Received::Closed:
            end(endReason_.empty() ? "the service or this client's session is gone" : std::string_view(endReason_));
            return;
        case wire::Received::Malformed:
            end("the service sent a datagram that is larger than the protocol allows");
            return;
        case wire::Received::Message:
            break;
    }
    try {
        dispatchMessage();
    } catch (const Error& error) {
        end("the service broke the protocol: ", error.text());
    } catch (const std::exception& error) {
        end(error.what());
    }
    incoming_.fds.clear();
}

void Connection::dispatchMessage() {
    const auto header = wire::decodeHeader(incoming_.bytes());
    if (!header) {
        throw Error(LAROD_ERROR_CONNECTION, "a message of {} bytes", incoming_.bytes().size());
    }
    if (header->requestId == 0 && header->type == wire::MessageType::Failure) {
        wire::Failure failure;
        wire::decode(incoming_.bytes(), failure);
        endReason_ = failure.text;  // the end itself follows
        return;
    }
    if (header->type == wire::MessageType::Note) {
        wire::Note note;
        wire::decode(incoming_.bytes(), note);
        std::fprintf(stderr, "larod: %s\n", note.text.c_str());
        return;
    }
    const auto call =
        std::ranges::find_if(calls_, [&](const Call* waiting) { return waiting->requestId == header->requestId; });
    if (call != calls_.end() && !(*call)->done) {
        deliver(*header, (*call)->reply);
        (*call)->done = true;
        (*call)->wake.notify_one();
        return;
    }
    const auto async = pending_.find(header->requestId);
    if (async == pending_.end()) {
        throw Error(LAROD_ERROR_CONNECTION, "a message of type {} answers request {}, which is not outstanding",
                    static_cast<uint32_t>(header->type), header->requestId);
    }
    deliver(*header, async->second->reply());
    auto node = pending_.extract(async);
    node.key() = ++completions_;
    finished_.insert(std::move(node));
    callbackWake_.notify_one();
}

// Throws Error(LAROD_ERROR_CONNECTION) for a reply that the protocol does not allow.
void Connection::deliver(const wire::Header& header, Reply& reply) {
    try {
        if (header.type == wire::MessageType::Failure) {
            wire::Failure failure;
            wire::decode(incoming_.bytes(), failure);
            if (!isFailureCode(failure.code)) {
                throw Error(LAROD_ERROR_CONNECTION, "a failure with code {}", failure.code);
            }
            reply.failure.emplace(failure.code, std::move(failure.text));
            return;
        }
        if (header.type != reply.type) {
            throw Error(LAROD_ERROR_CONNECTION, "request {} expects a message of type {}, and got one of type {}",
                        header.requestId, static_cast<uint32_t>(reply.type), static_cast<uint32_t>(header.type));
        }
        reply.read(incoming_);
    } catch (const std::bad_alloc&) {
        reply.failure.emplace(ENOMEM, std::string("out of memory"));
    }
}

// Wakes one thread that will read, where one is needed. Called by every thread that leaves with the token free.
void Connection::passToken() noexcept {
    if (reading_) {
        return;
    }
    tokenOrEnd_.notify_all();
    if (!pending_.empty() && !inCallback_) {
        callbackWake_.notify_one();
        return;
    }
    const auto call = std::ranges::find_if(calls_, [](const Call* waiting) { return !waiting->done; });
    if (call != calls_.end()) {
        (*call)->wake.notify_one();
    } else if (blockedSenders_ > 0) {
        const uint64_t one = 1;
        [[maybe_unused]] const ssize_t size = ::write(tokenFreed_.get(), &one, sizeof(one));
    }
}

void Connection::end(std::string_view reason, std::string_view detail) noexcept {
    if (std::exchange(ended_, true)) {
        return;
    }
    try {
        endText_ = fmt::format("the connection to the larod service has ended: {}{}", reason, detail);
    } catch (const std::exception&) {
        endText_.clear();
    }
    channel_.shutdown();  // also wakes whoever reads or waits to write
    for (Call* call : calls_) {
        if (!call->done) {
            call->reply.lost = true;
            call->done = true;
            call->wake.notify_one();
        }
    }
    while (!pending_.empty()) {
        auto node = pending_.extract(pending_.begin());
        node.mapped()->reply().lost = true;
        node.key() = ++completions_;
        finished_.insert(std::move(node));
    }
    callbackWake_.notify_one();
    tokenOrEnd_.notify_all();
}

void Connection::throwIfEnded() const {
    if (ended_) {
        throw Error(LAROD_ERROR_CONNECTION, endText_);
    }
}

void Connection::throwProtocolFault(std::string_view what) {
    const Lock lock(mutex_);
    end("the service broke the protocol: ", what);
    throwIfEnded();
    std::abort();  // unreachable: end() has ended it
}

void Connection::disconnect(std::chrono::milliseconds timeout) {
    bool confirmed = false;
    std::string failure;
    try {
        MessageReply<wire::Done> reply;
        callUntil(MessageRequest(wire::Disconnect{}), reply, Clock::now() + timeout);
        confirmed = true;
    } catch (const std::exception& error) {
        failure = error.what();
    }
    std::thread thread;
    {
        const Lock lock(mutex_);
        end("it was closed by larodDisconnect");
        stopping_ = true;
        callbackWake_.notify_one();
        thread = std::move(callbackThread_);
    }
    if (thread.joinable()) {
        thread.join();
    }
    if (!confirmed) {
        throw Error(LAROD_ERROR_KILL_SESSION, "the service did not confirm the end of the session: {}", failure);
    }
}

bool Connection::onCallbackThread() const {
    const Lock lock(mutex_);
    return callbackThreadId_ == std::this_thread::get_id();
}

void Connection::noteThread() noexcept {
    const auto self = std::this_thread::get_id();
    if (firstThread_ == std::thread::id()) {
        firstThread_ = self;
    }
    severalThreads_ = severalThreads_ || self != firstThread_;
}

// Signals are the application's: the new thread starts with all of them blocked.
void Connection::startCallbackThread() {
    if (callbackThreadId_ != std::thread::id()) {
        return;
    }
    sigset_t all;
    sigset_t old;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &old);
    try {
        callbackThread_ = std::thread([this] { runCallbacks(); });
        callbackThreadId_ = callbackThread_.get_id();
    } catch (...) {
        ::pthread_sigmask(SIG_SETMASK, &old, nullptr);
        throw;
    }
    ::pthread_sigmask(SIG_SETMASK, &old, nullptr);
}

void Connection::runCallbacks() noexcept {
    ::pthread_setname_np(::pthread_self(), "larod-callback");
    Lock lock(mutex_);
    for (;;) {
        if (!finished_.empty()) {
            auto node = finished_.extract(finished_.begin());
            inCallback_ = true;
            passToken();
            lock.unlock();
            AsyncRequest& async = *node.mapped();
            const Reply& reply = async.reply();
            if (reply.lost) {
                async.finish(LAROD_ERROR_CONNECTION, endText_);  // which nobody writes after the end
            } else if (reply.failure) {
                async.finish(reply.failure->code(), reply.failure->text());
            } else {
                async.finish(LAROD_ERROR_NONE, {});
            }
            node = {};
            lock.lock();
            inCallback_ = false;
        } else if (pending_.empty()) {
            if (stopping_) {
                return;
            }
            passToken();
            callbackWake_.wait(lock, [this] { return stopping_ || !finished_.empty() || !pending_.empty(); });
        } else if (!reading_) {
            readOne(lock, std::nullopt);
        } else {
            callbackWake_.wait(lock, [this] { return !finished_.empty() || pending_.empty() || !reading_; });
        }
    }
}

}  // namespace larod::client
