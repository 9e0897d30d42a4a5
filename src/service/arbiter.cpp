// SPDX-License-Identifier: Apache-2.0
#include "service/arbiter.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/error.h"
#include "base/log.h"
#include "base/monotonic_time.h"
#include "service/session_end.h"
#include "wire/codec.h"

namespace larod::service {

namespace control = session::control;

namespace {

// How long a session may outlive its client: for a job that is running.
constexpr uint64_t kClientGoneGraceNs = 2'000'000'000;

UniqueFd makeSignalFd() {
    sigset_t set;
    ::sigemptyset(&set);
    ::sigaddset(&set, SIGINT);
    ::sigaddset(&set, SIGTERM);
    ::sigaddset(&set, SIGHUP);
    return UniqueFd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

}  // namespace

Arbiter::Arbiter(const Options& options, UniqueFd spawner, session::PageMapping<session::ServicePage>& servicePage,
                 std::function<void(const std::vector<wire::DeviceInfo>&)> onReady)
    : options_(options),
      onReady_(std::move(onReady)),
      spawner_(std::move(spawner)),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      signals_(makeSignalFd()),
      timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)),
      models_(options.sessionMemoryBytes),
      requests_({sessions_, models_, turns_, devices_, power_, *servicePage, monotonicNs()},
                buffer::DmaBufAllocator(options.dmaBufNodes)) {
    watch(spawner_.fd(), EPOLLIN, Source::Spawner);
    watch(signals_.get(), EPOLLIN, Source::Signal);
    watch(timer_.get(), EPOLLIN, Source::Timer);
    watch(requests_.dmaBufFd(), EPOLLIN, Source::DmaBufs);
    watch(requests_.nodeFd(), EPOLLIN, Source::Nodes);
}

Arbiter::~Arbiter() = default;

void Arbiter::watch(int fd, uint32_t events, Source source, SessionKey key) {
    epoll_event event = {};
    event.events = events;
    event.data.u64 = (key << 8U) | static_cast<uint64_t>(source);
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
        throw Error(LAROD_ERROR_CONNECTION, "can't watch a descriptor: {}", errnoText(errno));
    }
}

bool Arbiter::run() {
    std::array<epoll_event, 64> events;
    while (!spawnerGone_) {
        if (power_) {
            power_->settle(monotonicNs());
        }
        setTimer();
        const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), -1);
        // New sessions first: what another one asks must be answered with them counted.
        drainSpawner();
        for (int i = 0; i < count; ++i) {
            const uint64_t data = events[static_cast<size_t>(i)].data.u64;
            const auto source = static_cast<Source>(data & 0xff);
            if (source == Source::Signal) {
                stopAll();
                return true;
            }
            const SessionKey key = data >> 8U;
            try {
                onEvent(source, key);
            } catch (const std::exception& error) {
                // Whatever could not be done for one session is no reason to end the others.
                log::error("session {}: {}", key, error.what());
                if (SessionRecord* session = sessions_.find(key)) {
                    sessions_.kill(*session, error.what(), monotonicNs());
                }
            }
        }
    }
    return false;
}

void Arbiter::onEvent(Source source, SessionKey key) {
    switch (source) {
        case Source::Timer:
            onTimer();
            break;
        case Source::DmaBufs:
            requests_.sendDmaBufs();
            break;
        case Source::Nodes:
            requests_.sendNode();
            break;
        case Source::Control:
            onControl(key);
            break;
        case Source::Client:
            onClientGone(key);
            break;
        case Source::Spawner:
        case Source::Signal:
            break;  // seen to in run()
    }
}

void Arbiter::onControl(SessionKey key) {
    SessionRecord* session = sessions_.find(key);
    if (session == nullptr) {
        return;
    }
    wire::Received received = wire::Received::Closed;
    try {
        received = session->control.receive(datagram_, wire::Wait::No);
    } catch (const Error& error) {
        log::debug("session {}: {}", key, error.text());
    }
    if (received == wire::Received::WouldBlock) {
        return;
    }
    if (received != wire::Received::Message || !session->killReason().empty()) {
        // It ends, or is told to and gets nothing more; SessionEnded follows.
        ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, session->control.fd(), nullptr);
        return;
    }
    requests_.handle(*session, datagram_);
}

void Arbiter::onClientGone(SessionKey key) {
    if (SessionRecord* session = sessions_.find(key)) {
        ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, session->client.fd(), nullptr);
        sessions_.setDeadline(key, monotonicNs() + kClientGoneGraceNs);
    }
}

void Arbiter::onTimer() {
    uint64_t expirations = 0;
    [[maybe_unused]] const ssize_t got = ::read(timer_.get(), &expirations, sizeof(expirations));
    const uint64_t now = monotonicNs();
    for (DeviceTurns& turns : turns_) {
        if (turns.nextDeadline() && *turns.nextDeadline() <= now) {
            turns.tick(now);
        }
    }
    if (requests_.nextDeadline().value_or(UINT64_MAX) <= now) {
        requests_.sendDue();
    }
    while (SessionRecord* session = sessions_.takeDue(now)) {
        if (session->killReason().empty()) {
            sessions_.kill(*session, "its client is gone", now);
        } else {
            endKilled(*session, now);
        }
    }
}

// The process runs nothing any more, but the kernel does not let it go: it waits for a driver, for hardware that hangs
// perhaps for ever. Nobody else waits for that.
void Arbiter::endKilled(SessionRecord& session, uint64_t nowNs) {
    if (session.pid() == 0) {  // still to be told, and then killed
        sessions_.setDeadline(session.key, nowNs + kKilledGraceNs);
        return;
    }
    log::warn("session {}: process {} was killed and does not end: the kernel waits for a driver", session.key,
              session.pid());
    endSession(session.key, SIGKILL);
}

void Arbiter::setTimer() {
    uint64_t next = std::min(sessions_.nextDeadline().value_or(UINT64_MAX),  //
                             requests_.nextDeadline().value_or(UINT64_MAX));
    next = std::min(next, power_ ? power_->nextDeadline().value_or(UINT64_MAX) : UINT64_MAX);
    for (const DeviceTurns& turns : turns_) {
        next = std::min(next, turns.nextDeadline().value_or(UINT64_MAX));
    }
    itimerspec when = {};
    if (next != UINT64_MAX) {
        when.it_value.tv_sec = static_cast<time_t>(next / 1'000'000'000);
        when.it_value.tv_nsec = std::max<long>(static_cast<long>(next % 1'000'000'000), 1);
    }
    ::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &when, nullptr);
}

// ---- The spawner ----

void Arbiter::drainSpawner() {
    for (;;) {
        switch (spawner_.receive(datagram_, wire::Wait::No)) {
            case wire::Received::Message:
                try {
                    onSpawner(datagram_);
                } catch (const std::exception& error) {
                    log::error("a session can't be managed: {}", error.what());
                }
                break;
            case wire::Received::WouldBlock:
                return;
            case wire::Received::Malformed:
                // No descriptor was free for what came along: that session gets nothing, and ends.
                log::error("a session can't be managed; raise the limit of open files");
                break;
            case wire::Received::Closed:
                spawnerGone_ = true;
                return;
        }
    }
}

void Arbiter::onSpawner(wire::Datagram& datagram) {
    const auto header = wire::decodeHeader(datagram.bytes());
    const wire::MessageType type = header ? header->type : wire::MessageType{};
    if (type == control::Ready::kType) {
        control::Ready ready;
        wire::decode(datagram.bytes(), ready);
        addDevices(std::move(ready.table));
    } else if (type == control::SessionStarted::kType) {
        control::SessionStarted started;
        wire::decode(datagram.bytes(), started);
        startSession(started, datagram.fds);
    } else if (type == control::SessionForked::kType) {
        control::SessionForked forked;
        wire::decode(datagram.bytes(), forked);
        nameProcess(forked, datagram.fds);
    } else if (type == control::SessionEnded::kType) {
        control::SessionEnded ended;
        wire::decode(datagram.bytes(), ended);
        endSession(ended.session, ended.waitStatus);
    }
}

void Arbiter::addDevices(control::DeviceTable devices) {
    devices_ = std::move(devices);
    if (options_.power) {
        addPower();
    }
    for (uint32_t unit = 0; unit < devices_.units.size(); ++unit) {
        turnEffects_.push_back(
            std::make_unique<TurnEffects>(sessions_, unit, devices_.units[unit].name, options_, power_.get()));
        turns_.emplace_back(*turnEffects_.back(), options_.jobLimitMs * 1'000'000);
    }
    onReady_(devices_.listed);
}

void Arbiter::addPower() {
    std::vector<std::string> names;
    for (const wire::DeviceInfo& unit : devices_.units) {
        names.push_back(unit.name);
    }
    for (const std::string& name : unknownNames(*options_.power, names)) {
        log::warn("{}: '{}' is neither a unit (ace, cpu, dlpu, gpu, tpu) nor a device that runs jobs here",
                  options_.powerConfigPath, name);
    }
    power_ = std::make_unique<PowerControl>(powerEffects_, *options_.power, names);
}

void Arbiter::startSession(const control::SessionStarted& message, std::vector<UniqueFd>& fds) {
    if (fds.size() != 3) {
        log::error("session {} came with {} descriptors instead of 3", message.session, fds.size());
        return;
    }
    auto session = std::make_unique<SessionRecord>(message, std::move(fds[0]), std::move(fds[1]), fds[2].get(),
                                                   options_.sessionMemoryBytes);
    watch(session->control.fd(), EPOLLIN, Source::Control, session->key);
    watch(session->client.fd(), EPOLLRDHUP, Source::Client, session->key);
    sessions_.add(std::move(session));
}

void Arbiter::nameProcess(const control::SessionForked& message, std::vector<UniqueFd>& fds) {
    SessionRecord* session = sessions_.find(message.session);
    if (session == nullptr) {
        return;
    }
    session->setProcess(message.pid, fds.empty() ? UniqueFd() : std::move(fds.front()));
    if (!session->killReason().empty()) {
        session->kill(session->killReason());
    }
    log::debug("session {} of process {}, user {}: process {}", session->key, session->clientPid, session->uid,
               session->pid());
}

// The session's process is gone, and with it everything that it had; or it is as good as gone.
void Arbiter::endSession(SessionKey key, int waitStatus) {
    const std::unique_ptr<SessionRecord> session = sessions_.take(key);
    if (!session) {
        return;
    }
    // Before the tables forget what it was running.
    const bool orderly = session->killReason().empty() && waitStatus == 0;
    const std::string note = orderly ? "" : crashNote(describeEnd(*session, waitStatus, devices_, models_));
    requests_.leaveTables(*session);
    const uint64_t now = monotonicNs();
    for (DeviceTurns& turns : turns_) {
        turns.remove(key, now);
    }
    if (power_) {
        power_->remove(key);
    }
    if (!orderly) {
        log::warn("session {} (client process {}, user {}): {}", key, session->clientPid, session->uid, note);
        tellClient(*session, note);
    }
    // Closing it would not be enough: a process that does not end has it, too.
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, session->client.fd(), nullptr);
    // The client reads what was sent, then the end. What it had sent and nobody read is drained, or it would get a
    // reset. Not into `datagram_`: the message that told of the end is in there.
    session->client.shutdown();
    wire::Datagram unread;
    while (session->client.receive(unread, wire::Wait::No) == wire::Received::Message) {
    }
}

void Arbiter::tellClient(SessionRecord& session, const std::string& text) {
    std::array<std::byte, 2 * wire::kMaxErrorTextLength> buffer;
    try {
        [[maybe_unused]] const wire::Sent sent = session.client.send(
            wire::encode(wire::Failure{LAROD_ERROR_CONNECTION, text}, 0, buffer), {}, wire::Wait::No);
    } catch (const Error&) {
        // The client is gone, too.
    }
}

// The service ends: each client is told, then its session goes.
void Arbiter::stopAll() {
    sessions_.forEachAfter(0, [this](SessionRecord& session) {
        tellClient(session, "the larod service was stopped");
        session.kill("the service was stopped");
        session.client.shutdown();
        return true;
    });
    spawner_.shutdown();
}

}  // namespace larod::service
