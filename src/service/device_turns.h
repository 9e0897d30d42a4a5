// SPDX-License-Identifier: Apache-2.0
// Who may use a device: the order between sessions (behaviour.md 7, processes.md 2). Pure: it decides, a TurnPort acts.
//
// Sessions that wait are ordered by the device time that they have had, the least first; a newcomer starts at the time
// of the session that was served last, so neither catches up on time when it wanted nothing. What counts is the time
// for which a session kept the device from others: from its grant, or from when somebody began to wait, to the moment
// the turn is back. The session's own word is not asked.
//
// How soon the holder is asked back:
//   - it has the turn without a job (Idle): after kIdleGraceNs, so that a synchronous client can send its next job;
//   - a session waits that has no backlog: at the end of the job during which it has had as little time as the holder;
//   - only sessions with a backlog wait: at the end of the slice, since changing with each job costs more than it
//   gives.
// A holder that does not give back within the job limit is ended: it would stop all others.
//
// Where there is a power controller, it is asked before each grant, and may have the turn taken back or those who wait
// refused (power_control.h).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace larod::service {

using SessionKey = uint64_t;

inline constexpr uint64_t kSliceNs = 20'000'000;
inline constexpr uint64_t kIdleGraceNs = 200'000;

// What becomes of the decisions. The holder's turn word decides whether it can be taken at once.
class TurnPort {
  public:
    enum class Reclaim : uint8_t {
        Taken,   // it was idle, and no longer has the turn
        Recent,  // it is idle, but has run a job within kIdleGraceNs
        Busy,    // it runs a job, and will give back at its end
    };

    virtual ~TurnPort() = default;
    // The session has the turn now; with a backlog it may keep it until `sliceEndNs` though others wait.
    virtual void grant(SessionKey session, uint64_t sliceEndNs) = 0;
    // The session's slice ends with its current job.
    virtual void endSlice(SessionKey session) = 0;
    // Asks for the turn.
    [[nodiscard]] virtual Reclaim reclaim(SessionKey session, uint64_t nowNs) = 0;
    // Did not give back in time. A remove() follows, later.
    virtual void kill(SessionKey session) = 0;
    // Takes power for the device, whose turn is about to be granted. False: there is none now; tick() is called when
    // there is, or refuseWaiting().
    [[nodiscard]] virtual bool takePower(uint64_t nowNs) = 0;
    // Nobody has the turn any more.
    virtual void returnPower() = 0;
    // The session no longer waits: there is no power for the device.
    virtual void refuse(SessionKey session) = 0;
};

// One device. Times are monotonic nanoseconds. Thread: the arbiter's.
class DeviceTurns {
  public:
    // `jobLimitNs`: how long a job may take while others wait.
    DeviceTurns(TurnPort& port, uint64_t jobLimitNs) : port_(port), jobLimitNs_(jobLimitNs) {}

    void want(SessionKey session, uint64_t nowNs);
    // The holder gave back; with `wantAgain` it has a backlog and waits again. Ignored from anybody else.
    void back(SessionKey session, bool wantAgain, uint64_t nowNs);
    void remove(SessionKey session, uint64_t nowNs);
    // Time has passed, or there is power; call at nextDeadline().
    void tick(uint64_t nowNs);
    // Somebody else wants the turn's power: takes the turn where it is idle, else asks for it. Only where somebody
    // holds it.
    [[nodiscard]] TurnPort::Reclaim reclaim(uint64_t nowNs);
    // There is no power for the device: all who wait are told, and wait no longer.
    void refuseWaiting();

    // When to call tick(), if ever.
    [[nodiscard]] std::optional<uint64_t> nextDeadline() const noexcept { return deadline_; }
    [[nodiscard]] std::optional<SessionKey> holder() const noexcept;
    [[nodiscard]] size_t waiting() const noexcept { return waiting_.size(); }

  private:
    struct Waiter {
        SessionKey session;
        uint64_t time;  // device time it has had
        bool backlog;
        uint64_t arrival;  // order among equals
    };
    struct Holder {
        SessionKey session;
        uint64_t time;
        uint64_t grantedNs;
        uint64_t sliceEndNs;
        std::optional<uint64_t> contendedNs;  // since when somebody waits
        std::optional<uint64_t> killNs;       // when it is late
        bool killed = false;
        bool sliceEnded = false;
    };

    void addWaiter(SessionKey session, bool backlog);
    void grantNext(uint64_t nowNs);
    void release(uint64_t nowNs);
    void decide(uint64_t nowNs);
    [[nodiscard]] uint64_t timeOf(const Holder& holder, uint64_t nowNs) const noexcept;
    [[nodiscard]] std::vector<Waiter>::iterator next() noexcept;

    TurnPort& port_;
    const uint64_t jobLimitNs_;
    std::optional<Holder> holder_;
    std::vector<Waiter> waiting_;
    std::map<SessionKey, uint64_t> times_;  // of sessions that neither hold nor wait
    uint64_t floor_ = 0;                    // where newcomers start
    uint64_t arrivals_ = 0;
    std::optional<uint64_t> deadline_;
};

}  // namespace larod::service
