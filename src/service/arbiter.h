// SPDX-License-Identifier: Apache-2.0
// The service's main process: it knows every session and every model, allocates memory, and takes devices in turns. It
// parses nothing of a client, runs no framework, and forks nobody while it runs (processes.md 1).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "service/crash_note.h"
#include "service/device_turns.h"
#include "service/model_table.h"
#include "service/options.h"
#include "session/control_messages.h"
#include "session/status_page.h"
#include "wire/channel.h"

namespace larod::service {

// Shared memory that a session can have: a generous half of what the machine has (behaviour.md 6.2).
[[nodiscard]] uint64_t sessionMemoryLimit() noexcept;

// Thread: one; run() is an event loop.
class Arbiter {
  public:
    // `onReady` is called once with the devices, when clients are served.
    Arbiter(const Options& options, UniqueFd spawner, session::PageMapping<session::ServicePage>& servicePage,
            std::function<void(const std::vector<wire::DeviceInfo>&)> onReady);
    ~Arbiter();
    Arbiter(const Arbiter&) = delete;
    Arbiter& operator=(const Arbiter&) = delete;

    // Serves until SIGINT, SIGTERM or SIGHUP (true), or until the spawner is gone (false). The signals are blocked by
    // the caller.
    [[nodiscard]] bool run();

  private:
    struct Session;
    class TurnEffects;
    // What a file descriptor in the epoll set is; the rest of the 64 bits is the session's key.
    enum class Source : uint8_t { Spawner, Signal, Timer, Control, Client };

    void watch(int fd, uint32_t events, Source source, SessionKey key = 0);
    void onEvent(Source source, SessionKey key);
    void drainSpawner();
    void onSpawner(wire::Datagram& datagram);
    void startSession(const session::control::SessionStarted& message, std::vector<UniqueFd>& fds);
    void endSession(SessionKey key, int waitStatus);
    void leaveTables(Session& session);
    [[nodiscard]] SessionEnd describeEnd(const Session& session, int waitStatus) const;
    void onControl(SessionKey key);
    void handle(Session& session, const wire::Header& header, wire::Datagram& datagram);
    void onClientGone(SessionKey key);
    void onTimer();
    void setTimer();
    void kill(Session& session, std::string reason);
    void stopAll();

    void allocMemory(Session& session, uint64_t requestId, const wire::Datagram& datagram);
    void releaseMemory(Session& session, const wire::Datagram& datagram);
    void registerModel(Session& session, uint64_t requestId, wire::Datagram& datagram);
    void fetchModel(Session& session, uint64_t requestId, const wire::Datagram& datagram);
    void deleteModel(Session& session, uint64_t requestId, const wire::Datagram& datagram);

    template <typename Message>
    void reply(Session& session, const Message& message, uint64_t requestId, std::span<const int> fds = {});
    [[nodiscard]] Session* find(SessionKey key) noexcept;
    [[nodiscard]] DeviceTurns* turnsOf(uint32_t device) noexcept;

    const Options& options_;
    session::PageMapping<session::ServicePage>& servicePage_;
    const std::function<void(const std::vector<wire::DeviceInfo>&)> onReady_;
    wire::Channel spawner_;
    bool spawnerGone_ = false;
    UniqueFd epoll_;
    UniqueFd signals_;
    UniqueFd timer_;
    wire::Datagram datagram_;
    std::unique_ptr<std::byte[]> buffer_;
    std::vector<wire::DeviceInfo> devices_;
    std::map<SessionKey, std::unique_ptr<Session>> sessions_;
    ModelTable models_;
    std::vector<std::unique_ptr<TurnEffects>> turnEffects_;  // by device
    std::vector<DeviceTurns> turns_;
};

}  // namespace larod::service
