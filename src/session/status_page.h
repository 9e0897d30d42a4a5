// SPDX-License-Identifier: Apache-2.0
// Memory that a session and the arbiter share: turn words, what the session is doing, counters.
//
// One page a session, made by the spawner, mapped for reading and writing by both. For the arbiter everything in it is
// untrusted: it keeps its own state, and reads codes and numbers from here, never text and never pointers.
// The service page is one for all, written by the arbiter and mapped read-only by sessions.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "base/unique_fd.h"
#include "wire/limits.h"

namespace larod::session {

// The turn of a session on a unit (device_list.h; processes.md 2): a futex word.
//
//     None --grant--> Idle <--start/finish--> Busy
//     | ^              |                       |
//     | +--reclaim-----+------give back--------+
//     | +--seen----+
//     +--no power--> Refused
//
// The low bits are the phase; kTurnWanted is set by the arbiter on Idle or Busy when another session waits. The bits
// above count the arbiter's answers: a session that asked and then sees None with another count knows that a grant came
// and was taken back unused, and asks again.
inline constexpr uint32_t kTurnNone = 0;
inline constexpr uint32_t kTurnIdle = 1;
inline constexpr uint32_t kTurnBusy = 2;
inline constexpr uint32_t kTurnRefused = 3;
inline constexpr uint32_t kTurnPhaseMask = 3;
inline constexpr uint32_t kTurnWanted = 4;
inline constexpr uint32_t kTurnGrantUnit = 8;

[[nodiscard]] constexpr uint32_t turnPhase(uint32_t word) noexcept {
    return word & kTurnPhaseMask;
}
[[nodiscard]] constexpr uint32_t withTurnPhase(uint32_t word, uint32_t phase) noexcept {
    return (word & ~kTurnPhaseMask) | phase;
}

struct TurnState {
    std::atomic<uint32_t> word{kTurnNone};
    std::atomic<uint32_t> threads{1};     // what the grant allows; written before the word
    std::atomic<uint64_t> sliceEndNs{0};  // CLOCK_MONOTONIC; a session with a backlog may keep a wanted turn until then
    std::atomic<uint64_t> lastEndNs{0};   // when the last job ended
    std::atomic<uint64_t> runningModel{0};  // for the note that tells the client of a crash; 0: no job runs
};

// The answer to a LoadWant: a futex word. The bits above the phase count the answers.
inline constexpr uint32_t kLoadGranted = 1;
inline constexpr uint32_t kLoadRefused = 2;
inline constexpr uint32_t kLoadPhaseMask = 3;
inline constexpr uint32_t kLoadAnswerUnit = 4;

struct StatusPage {
    std::atomic<uint32_t> greeted{0};  // 1: the client has said hello
    std::atomic<uint64_t> loadingOn{
        0};  // place of the listed device, from 1, on which a model is being loaded; 0: none is
    std::atomic<uint32_t> loadPower{0};  // the last answer to a LoadWant
    std::atomic<uint64_t> jobsDone{0};
    std::atomic<uint64_t> jobsFailed{0};
    std::atomic<uint64_t> jobsQueued{0};
    std::atomic<uint64_t> trackedTensors{0};
    std::atomic<uint64_t> trackedBytes{0};
    std::atomic<uint64_t> deviceTimeNs{0};
    // Of the jobs that are done, where their time went; the last three are the device time.
    std::atomic<uint64_t> waitTimeNs{0};  // from their arrival to their turn
    std::atomic<uint64_t> bindTimeNs{0};  // until their memory was mapped or copied
    std::atomic<uint64_t> runTimeNs{0};
    std::atomic<uint64_t> syncTimeNs{0};             // until their outputs were written or flushed
    std::array<TurnState, wire::kMaxDevices> turns;  // by unit
};

struct ServicePage {
    std::atomic<uint64_t> modelGeneration{0};  // grows with every deletion of a model
};

static_assert(std::atomic<uint32_t>::is_always_lock_free && std::atomic<uint64_t>::is_always_lock_free);
static_assert(sizeof(StatusPage) <= 4096);

// A mapping of one of the pages. T is StatusPage or ServicePage (const for the read-only side).
template <typename T>
class PageMapping {
  public:
    explicit PageMapping(int fd);  // throws Error(LAROD_ERROR_CREATE_SESSION)
    ~PageMapping();
    PageMapping(const PageMapping&) = delete;
    PageMapping& operator=(const PageMapping&) = delete;

    [[nodiscard]] T& operator*() const noexcept { return *page_; }
    [[nodiscard]] T* operator->() const noexcept { return page_; }

  private:
    T* page_;
};

// A memfd that holds one zeroed page; zeros are the initial state of both structures.
[[nodiscard]] UniqueFd makePage(const char* name);

// The same page, not writable through this descriptor.
[[nodiscard]] UniqueFd reopenReadOnly(int fd);

extern template class PageMapping<StatusPage>;
extern template class PageMapping<ServicePage>;
extern template class PageMapping<const ServicePage>;

}  // namespace larod::session
