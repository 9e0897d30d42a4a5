// SPDX-License-Identifier: Apache-2.0
#include "service/arbiter.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>

#include "base/checked.h"
#include "base/error.h"
#include "base/log.h"
#include "base/monotonic_time.h"
#include "buffer/file_identity.h"
#include "buffer/memfd.h"
#include "wire/codec.h"

namespace larod::service {

namespace control = session::control;

namespace {

// How long a session may outlive its client: for a job that is running.
constexpr uint64_t kClientGoneGraceNs = 2'000'000'000;
// How long a session may take to start its job after a grant, on a machine that is busy, before others get the turn.
constexpr uint64_t kStartGraceNs = 10'000'000;
constexpr size_t kMaxBuffersPerSession = 4096;

}  // namespace

uint64_t sessionMemoryLimit() noexcept {
    return static_cast<uint64_t>(::sysconf(_SC_PHYS_PAGES)) * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE)) / 2;
}

struct Arbiter::Session {
    Session(SessionKey itsKey, const control::SessionStarted& message, UniqueFd itsClient, UniqueFd itsControl,
            int pageFd)
        : key(itsKey),
          uid(message.uid),
          clientPid(message.clientPid),
          client(std::move(itsClient)),
          control(std::move(itsControl)),
          page(pageFd) {}

    const SessionKey key;
    const uint32_t uid;
    const int32_t clientPid;
    wire::Channel client;  // a duplicate: for the note at the end
    wire::Channel control;
    session::PageMapping<session::StatusPage> page;
    UniqueFd pidfd;
    int32_t pid = 0;
    std::map<uint64_t, uint64_t> memory;  // size by id
    uint64_t memoryBytes = 0;
    uint64_t lastMemoryId = 0;
    bool left = false;       // said goodbye: no longer in the tables
    std::string killReason;  // not empty: it was killed by us
    uint64_t killAtNs = UINT64_MAX;
};

// Carries out the decisions for one device in the sessions' turn words.
class Arbiter::TurnEffects final : public TurnPort {
  public:
    TurnEffects(Arbiter& arbiter, uint32_t device) : arbiter_(arbiter), device_(device) {}

    void grant(SessionKey key, uint64_t sliceEndNs) override {
        session::TurnState* turn = turnOf(key);
        if (turn == nullptr) {
            return;
        }
        turn->threads.store(arbiter_.options_.threads, std::memory_order_relaxed);
        turn->sliceEndNs.store(sliceEndNs, std::memory_order_relaxed);
        turn->lastEndNs.store(monotonicNs() + kStartGraceNs, std::memory_order_relaxed);
        const uint32_t before = turn->word.load(std::memory_order_relaxed);
        const uint32_t granted =
            (before & ~(session::kTurnGrantUnit - 1)) + session::kTurnGrantUnit + session::kTurnIdle;
        turn->word.store(granted, std::memory_order_release);
        ::syscall(SYS_futex, &turn->word, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
    }

    void endSlice(SessionKey key) override {
        if (session::TurnState* turn = turnOf(key)) {
            turn->sliceEndNs.store(0, std::memory_order_relaxed);
        }
    }

    Reclaim reclaim(SessionKey key, uint64_t nowNs) override {
        session::TurnState* turn = turnOf(key);
        if (turn == nullptr) {
            return Reclaim::Taken;
        }
        // From now on the session gives back by itself at the end of a job.
        uint32_t word = turn->word.fetch_or(session::kTurnWanted, std::memory_order_acq_rel) | session::kTurnWanted;
        while (session::turnPhase(word) == session::kTurnIdle) {
            const uint64_t lastEnd = turn->lastEndNs.load(std::memory_order_relaxed);
            const bool recent = lastEnd > nowNs ? lastEnd - nowNs <= kStartGraceNs : nowNs - lastEnd < kIdleGraceNs;
            if (recent) {
                return Reclaim::Recent;
            }
            const uint32_t none = session::withTurnPhase(word & ~session::kTurnWanted, session::kTurnNone);
            if (turn->word.compare_exchange_weak(word, none, std::memory_order_acq_rel, std::memory_order_relaxed)) {
                ::syscall(SYS_futex, &turn->word, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
                return Reclaim::Taken;
            }
        }
        return Reclaim::Busy;
    }

    void kill(SessionKey key) override {
        if (Session* session = arbiter_.find(key)) {
            arbiter_.kill(
                *session,
                fmt::format("its job kept {} for more than {} ms while other clients waited (option --job-limit)",
                            arbiter_.devices_[device_].name, arbiter_.options_.jobLimitMs));
        }
    }

  private:
    session::TurnState* turnOf(SessionKey key) noexcept {
        Session* session = arbiter_.find(key);
        return session == nullptr ? nullptr : &session->page->turns[device_];
    }

    Arbiter& arbiter_;
    const uint32_t device_;
};

Arbiter::Arbiter(const Options& options, UniqueFd spawner, session::PageMapping<session::ServicePage>& servicePage,
                 std::function<void(const std::vector<wire::DeviceInfo>&)> onReady)
    : options_(options),
      servicePage_(servicePage),
      onReady_(std::move(onReady)),
      spawner_(std::move(spawner)),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)),
      buffer_(std::make_unique_for_overwrite<std::byte[]>(wire::kMaxDatagramBytes)),
      models_(sessionMemoryLimit()) {
    sigset_t set;
    ::sigemptyset(&set);
    ::sigaddset(&set, SIGINT);
    ::sigaddset(&set, SIGTERM);
    ::sigaddset(&set, SIGHUP);
    signals_.reset(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    watch(spawner_.fd(), EPOLLIN, Source::Spawner);
    watch(signals_.get(), EPOLLIN, Source::Signal);
    watch(timer_.get(), EPOLLIN, Source::Timer);
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
                spdlog::error("session {}: {}", key, error.what());
                if (Session* session = find(key)) {
                    kill(*session, error.what());
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

Arbiter::Session* Arbiter::find(SessionKey key) noexcept {
    const auto it = sessions_.find(key);
    return it == sessions_.end() ? nullptr : it->second.get();
}

DeviceTurns* Arbiter::turnsOf(uint32_t device) noexcept {
    return device < turns_.size() ? &turns_[device] : nullptr;
}

template <typename Message>
void Arbiter::reply(Session& session, const Message& message, uint64_t requestId, std::span<const int> fds) {
    const auto bytes = wire::encode(message, requestId, {buffer_.get(), wire::kMaxDatagramBytes});
    if (session.control.send(bytes, fds, wire::Wait::No) == wire::Sent::WouldBlock) {
        kill(session, "it asks the service without reading the answers");
    }
}

// ---- The spawner ----

void Arbiter::drainSpawner() {
    for (;;) {
        switch (spawner_.receive(datagram_, wire::Wait::No)) {
            case wire::Received::Message:
                try {
                    onSpawner(datagram_);
                } catch (const std::exception& error) {
                    spdlog::error("a session can't be managed: {}", error.what());
                }
                break;
            case wire::Received::WouldBlock:
                return;
            case wire::Received::Malformed:
                // No descriptor was free for what came along: that session gets nothing, and ends.
                spdlog::error("a session can't be managed; raise the limit of open files");
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
        devices_ = std::move(ready.devices);
        for (uint32_t i = 0; i < devices_.size(); ++i) {
            turnEffects_.push_back(std::make_unique<TurnEffects>(*this, i));
            turns_.emplace_back(*turnEffects_.back(), options_.jobLimitMs * 1'000'000);
        }
        onReady_(devices_);
    } else if (type == control::SessionStarted::kType) {
        control::SessionStarted started;
        wire::decode(datagram.bytes(), started);
        startSession(started, datagram.fds);
    } else if (type == control::SessionForked::kType) {
        control::SessionForked forked;
        wire::decode(datagram.bytes(), forked);
        if (Session* session = find(forked.session)) {
            session->pid = forked.pid;
            if (!datagram.fds.empty()) {
                session->pidfd = std::move(datagram.fds.front());
            }
            if (!session->killReason.empty()) {
                kill(*session, session->killReason);
            }
            spdlog::debug("session {} of process {}, user {}: process {}", session->key, session->clientPid,
                          session->uid, session->pid);
        }
    } else if (type == control::SessionEnded::kType) {
        control::SessionEnded ended;
        wire::decode(datagram.bytes(), ended);
        endSession(ended.session, ended.waitStatus);
    }
}

void Arbiter::startSession(const control::SessionStarted& message, std::vector<UniqueFd>& fds) {
    if (fds.size() != 3) {
        spdlog::error("session {} came with {} descriptors instead of 3", message.session, fds.size());
        return;
    }
    auto session =
        std::make_unique<Session>(message.session, message, std::move(fds[0]), std::move(fds[1]), fds[2].get());
    watch(session->control.fd(), EPOLLIN, Source::Control, session->key);
    watch(session->client.fd(), EPOLLRDHUP, Source::Client, session->key);
    sessions_.emplace(session->key, std::move(session));
}

// The session's process is gone, and with it everything that it had.
void Arbiter::endSession(SessionKey key, int waitStatus) {
    const auto it = sessions_.find(key);
    if (it == sessions_.end()) {
        return;
    }
    const std::unique_ptr<Session> session = std::move(it->second);
    // Before the tables forget what it was running.
    const bool orderly = session->killReason.empty() && waitStatus == 0;
    const std::string note = orderly ? "" : crashNote(describeEnd(*session, waitStatus));
    sessions_.erase(it);
    leaveTables(*session);
    const uint64_t now = monotonicNs();
    for (DeviceTurns& turns : turns_) {
        turns.remove(key, now);
    }
    if (!orderly) {
        spdlog::warn("session {} (client process {}, user {}): {}", key, session->clientPid, session->uid, note);
        const auto bytes =
            wire::encode(wire::Failure{LAROD_ERROR_CONNECTION, note}, 0, {buffer_.get(), wire::kMaxDatagramBytes});
        try {
            [[maybe_unused]] const wire::Sent sent = session->client.send(bytes, {}, wire::Wait::No);
        } catch (const Error&) {
            // The client is gone, too.
        }
    }
    // The client reads what was sent, then the end. What it had sent and nobody read is drained, or it would get a
    // reset. Not into `datagram_`: the message that told of the end is in there.
    session->client.shutdown();
    wire::Datagram unread;
    while (session->client.receive(unread, wire::Wait::No) == wire::Received::Message) {
    }
}

SessionEnd Arbiter::describeEnd(const Session& session, int waitStatus) const {
    SessionEnd end;
    end.waitStatus = waitStatus;
    end.reason = session.killReason;
    const uint64_t loadingOn = session.page->loadingOn.load(std::memory_order_relaxed);
    if (loadingOn > 0 && loadingOn <= devices_.size()) {
        end.activity = Activity::Loading;
        end.device = devices_[loadingOn - 1].name;
    }
    for (size_t device = 0; device < devices_.size(); ++device) {
        const uint64_t model = session.page->turns[device].runningModel.load(std::memory_order_relaxed);
        if (model == 0) {
            continue;
        }
        end.activity = Activity::Running;
        end.device = devices_[device].name;
        try {
            end.model = models_.findUsable(model, {session.key, session.uid}).info.name;
        } catch (const Error&) {
            // The session says nonsense, or the model was deleted while it ran.
        }
    }
    return end;
}

// Other sessions no longer see it. A device that it still runs a job on is free when the job has ended.
void Arbiter::leaveTables(Session& session) {
    session.left = true;
    const uint64_t now = monotonicNs();
    for (DeviceTurns& turns : turns_) {
        if (turns.holder() != session.key) {
            turns.remove(session.key, now);
        }
    }
    const bool sameUserLeft = std::any_of(sessions_.begin(), sessions_.end(), [&session](const auto& entry) {
        return !entry.second->left && entry.second->uid == session.uid;
    });
    if (models_.removeSession({session.key, session.uid}, sameUserLeft)) {
        servicePage_->modelGeneration.fetch_add(1, std::memory_order_release);
    }
}

// ---- Sessions ----

void Arbiter::onControl(SessionKey key) {
    Session* session = find(key);
    if (session == nullptr) {
        return;
    }
    wire::Received received = wire::Received::Closed;
    try {
        received = session->control.receive(datagram_, wire::Wait::No);
    } catch (const Error& error) {
        spdlog::debug("session {}: {}", key, error.text());
    }
    if (received == wire::Received::WouldBlock) {
        return;
    }
    if (received != wire::Received::Message) {
        // It ends; SessionEnded follows.
        ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, session->control.fd(), nullptr);
        return;
    }
    const auto header = wire::decodeHeader(datagram_.bytes());
    try {
        if (!header) {
            throw Error(LAROD_ERROR_CONNECTION, "a control message has no header");
        }
        handle(*session, *header, datagram_);
    } catch (const Error& error) {
        if (header && header->requestId != 0 && error.code() != LAROD_ERROR_CONNECTION) {
            reply(*session, wire::Failure{error.code(), error.text()}, header->requestId);
        } else {
            // Its code is ours: a session that talks nonsense has been taken over.
            kill(*session, fmt::format("it broke the protocol: {}", error.text()));
        }
    }
}

void Arbiter::handle(Session& session, const wire::Header& header, wire::Datagram& datagram) {
    const wire::MessageType type = header.type;
    const uint64_t now = monotonicNs();
    if (type == control::TurnWant::kType) {
        control::TurnWant want;
        wire::decode(datagram.bytes(), want);
        if (DeviceTurns* turns = turnsOf(want.device); turns != nullptr && !session.left) {
            turns->want(session.key, now);
        }
    } else if (type == control::TurnBack::kType) {
        control::TurnBack back;
        wire::decode(datagram.bytes(), back);
        if (DeviceTurns* turns = turnsOf(back.device)) {
            turns->back(session.key, back.wantAgain && !session.left, now);
        }
    } else if (type == control::ReleaseMemory::kType) {
        releaseMemory(session, datagram);
    } else if (session.left) {
        throw Error(LAROD_ERROR_KILL_SESSION, "the session has ended");
    } else if (type == control::AllocMemory::kType) {
        allocMemory(session, header.requestId, datagram);
    } else if (type == control::RegisterModel::kType) {
        registerModel(session, header.requestId, datagram);
    } else if (type == control::FetchModel::kType) {
        fetchModel(session, header.requestId, datagram);
    } else if (type == wire::DeleteModel::kType) {
        deleteModel(session, header.requestId, datagram);
    } else if (type == wire::GetModel::kType) {
        wire::GetModel request;
        wire::decode(datagram.bytes(), request);
        reply(session, wire::Model{models_.find(request.modelId).info}, header.requestId);
    } else if (type == wire::GetModels::kType) {
        wire::GetModels request;
        wire::decode(datagram.bytes(), request);
        reply(session, models_.page(request.afterId), header.requestId);
    } else if (type == wire::GetNumSessions::kType) {
        const auto count =
            std::count_if(sessions_.begin(), sessions_.end(), [](const auto& entry) { return !entry.second->left; });
        reply(session, wire::NumSessions{static_cast<uint64_t>(count)}, header.requestId);
    } else if (type == control::Goodbye::kType) {
        leaveTables(session);
        reply(session, wire::Done{}, header.requestId);
    } else {
        throw Error(LAROD_ERROR_CONNECTION, "control message {} is unknown", static_cast<uint32_t>(type));
    }
}

void Arbiter::allocMemory(Session& session, uint64_t requestId, const wire::Datagram& datagram) {
    control::AllocMemory request;
    wire::decode(datagram.bytes(), request);
    uint64_t total = session.memoryBytes;
    const uint64_t limit = sessionMemoryLimit();
    for (const uint64_t size : request.sizes) {
        const auto sum = checkedAdd(total, size);
        if (!sum || *sum > limit) {
            throw Error(LAROD_ERROR_ALLOC, "{} bytes more would exceed the session's limit of {} bytes; {} are in use",
                        size, limit, session.memoryBytes);
        }
        total = *sum;
    }
    if (session.memory.size() + request.sizes.size() > kMaxBuffersPerSession) {
        throw Error(LAROD_ERROR_ALLOC, "more than {} buffers in one session", kMaxBuffersPerSession);
    }
    control::MemoryAllocated answer;
    std::vector<UniqueFd> owned;
    std::vector<int> fds;
    for (const uint64_t size : request.sizes) {
        owned.push_back(buffer::makeSealedMemfd("larod", size));
        fds.push_back(owned.back().get());
    }
    for (const uint64_t size : request.sizes) {
        answer.ids.push_back(++session.lastMemoryId);
        session.memory.emplace(session.lastMemoryId, size);
    }
    session.memoryBytes = total;
    reply(session, answer, requestId, fds);
}

void Arbiter::releaseMemory(Session& session, const wire::Datagram& datagram) {
    control::ReleaseMemory request;
    wire::decode(datagram.bytes(), request);
    for (const uint64_t id : request.ids) {
        const auto it = session.memory.find(id);
        if (it != session.memory.end()) {
            session.memoryBytes -= it->second;
            session.memory.erase(it);
        }
    }
}

void Arbiter::registerModel(Session& session, uint64_t requestId, wire::Datagram& datagram) {
    control::RegisterModel request;
    wire::decode(datagram.bytes(), request);
    if (request.info.device >= devices_.size() || request.hasFile != (datagram.fds.size() == 1)) {
        throw Error(LAROD_ERROR_CONNECTION, "a model was registered with a wrong device or file");
    }
    ModelRecord record;
    record.info = std::move(request.info);
    record.owner = Accessor{session.key, session.uid};
    record.uid = session.uid;
    record.hasParams = request.hasParams;
    record.params = std::move(request.params);
    if (request.hasFile) {
        // Nobody writes to it any more: neither this session nor those that will load it.
        if (::fcntl(datagram.fds.front().get(), F_ADD_SEALS, F_SEAL_WRITE) != 0) {
            throw Error(LAROD_ERROR_LOAD_MODEL, "can't seal the data of the model: {}", errnoText(errno));
        }
        record.file = session::reopenReadOnly(datagram.fds.front().get());
        record.fileBytes = buffer::fileStatus(record.file.get()).length;
    }
    reply(session, control::ModelRegistered{models_.add(std::move(record))}, requestId);
}

void Arbiter::fetchModel(Session& session, uint64_t requestId, const wire::Datagram& datagram) {
    control::FetchModel request;
    wire::decode(datagram.bytes(), request);
    const ModelRecord& record = models_.findUsable(request.modelId, {session.key, session.uid});
    const control::FetchedModel answer{record.info, static_cast<bool>(record.file), record.hasParams, record.params};
    const int fd = record.file.get();
    reply(session, answer, requestId, std::span<const int>(&fd, record.file ? 1 : 0));
}

void Arbiter::deleteModel(Session& session, uint64_t requestId, const wire::Datagram& datagram) {
    wire::DeleteModel request;
    wire::decode(datagram.bytes(), request);
    if (models_.remove(request.modelId, {session.key, session.uid})) {
        servicePage_->modelGeneration.fetch_add(1, std::memory_order_release);
    }
    reply(session, wire::Done{}, requestId);
}

// ---- Ends ----

void Arbiter::onClientGone(SessionKey key) {
    if (Session* session = find(key)) {
        ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, session->client.fd(), nullptr);
        session->killAtNs = monotonicNs() + kClientGoneGraceNs;
    }
}

void Arbiter::kill(Session& session, std::string reason) {
    session.killReason = std::move(reason);
    session.killAtNs = UINT64_MAX;
    if (session.pidfd) {
        ::syscall(SYS_pidfd_send_signal, session.pidfd.get(), SIGKILL, nullptr, 0);
    } else if (session.pid > 0) {
        ::kill(session.pid, SIGKILL);  // no descriptor was free for a pidfd
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
    for (const auto& [key, session] : sessions_) {
        if (session->killAtNs <= now) {
            kill(*session, "its client is gone");
        }
    }
}

void Arbiter::setTimer() {
    uint64_t next = UINT64_MAX;
    for (const DeviceTurns& turns : turns_) {
        next = std::min(next, turns.nextDeadline().value_or(UINT64_MAX));
    }
    for (const auto& [key, session] : sessions_) {
        next = std::min(next, session->killAtNs);
    }
    itimerspec when = {};
    if (next != UINT64_MAX) {
        when.it_value.tv_sec = static_cast<time_t>(next / 1'000'000'000);
        when.it_value.tv_nsec = std::max<long>(static_cast<long>(next % 1'000'000'000), 1);
    }
    ::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &when, nullptr);
}

// The service ends: each client is told, then its session goes.
void Arbiter::stopAll() {
    const auto bytes = wire::encode(wire::Failure{LAROD_ERROR_CONNECTION, "the larod service was stopped"}, 0,
                                    {buffer_.get(), wire::kMaxDatagramBytes});
    for (const auto& [key, session] : sessions_) {
        try {
            [[maybe_unused]] const wire::Sent sent = session->client.send(bytes, {}, wire::Wait::No);
        } catch (const Error&) {
            // The client is gone.
        }
        kill(*session, "the service was stopped");
        session->client.shutdown();
    }
    spawner_.shutdown();
}

}  // namespace larod::service
