// SPDX-License-Identifier: Apache-2.0
// The service's main process: it knows every session and every model, allocates memory, and takes devices in turns. It
// parses nothing of a client, runs no framework, and forks nobody while it runs (processes.md 1).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/unique_fd.h"
#include "service/device_turns.h"
#include "service/model_table.h"
#include "service/options.h"
#include "service/power_effects.h"
#include "service/session_requests.h"
#include "service/session_table.h"
#include "service/turn_effects.h"
#include "session/control_messages.h"
#include "session/status_page.h"
#include "wire/channel.h"

namespace larod::service {

// The event loop. Thread: one.
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
    // What a file descriptor in the epoll set is; the rest of the 64 bits is the session's key.
    enum class Source : uint8_t { Spawner, Signal, Timer, DmaBufs, Nodes, Control, Client };

    void watch(int fd, uint32_t events, Source source, SessionKey key = 0);
    void onEvent(Source source, SessionKey key);
    void onControl(SessionKey key);
    void onClientGone(SessionKey key);
    void onTimer();
    void setTimer();

    void drainSpawner();
    void onSpawner(wire::Datagram& datagram);
    void addPower();
    void addDevices(session::control::DeviceTable devices);
    void startSession(const session::control::SessionStarted& message, std::vector<UniqueFd>& fds);
    void nameProcess(const session::control::SessionForked& message, std::vector<UniqueFd>& fds);
    void endKilled(SessionRecord& session, uint64_t nowNs);
    void endSession(SessionKey key, int waitStatus);
    void tellClient(SessionRecord& session, const std::string& text);
    void stopAll();

    const Options& options_;
    const std::function<void(const std::vector<wire::DeviceInfo>&)> onReady_;
    wire::Channel spawner_;
    bool spawnerGone_ = false;
    UniqueFd epoll_;
    UniqueFd signals_;
    UniqueFd timer_;
    wire::Datagram datagram_;
    session::control::DeviceTable devices_;
    SessionTable sessions_;
    ModelTable models_;
    std::vector<std::unique_ptr<TurnEffects>> turnEffects_;  // by unit
    std::vector<DeviceTurns> turns_;
    PowerEffects powerEffects_{sessions_, turns_};
    std::unique_ptr<PowerControl> power_;  // nullptr: there is no power controller
    SessionRequests requests_;             // refers to most of the above
};

}  // namespace larod::service
