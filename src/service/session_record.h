// SPDX-License-Identifier: Apache-2.0
// What the arbiter knows of one session.
#pragma once

#include <cstdint>
#include <string>

#include "base/unique_fd.h"
#include "service/device_turns.h"
#include "service/model_table.h"
#include "service/reply_queue.h"
#include "service/session_memory.h"
#include "session/control_messages.h"
#include "session/status_page.h"
#include "wire/channel.h"

namespace larod::service {

// Thread: the arbiter's.
class SessionRecord {
  public:
    // Throws Error where the page can't be mapped.
    SessionRecord(const session::control::SessionStarted& started, UniqueFd itsClient, UniqueFd itsControl, int pageFd,
                  uint64_t memoryLimitBytes = sessionMemoryLimit());

    // Sends SIGKILL; the process's end is told by the spawner, later. Where the process isn't known yet, call it again
    // when it is.
    void kill(std::string reason);
    void setProcess(int32_t itsPid, UniqueFd itsPidfd);

    [[nodiscard]] int32_t pid() const noexcept { return pid_; }
    [[nodiscard]] const std::string& killReason() const noexcept { return killReason_; }  // empty: not killed
    // Whether others count it: its client has said hello and not goodbye.
    [[nodiscard]] bool isPresent() const noexcept {
        return !left && page->greeted.load(std::memory_order_acquire) != 0;
    }
    [[nodiscard]] Accessor accessor() const noexcept { return {key, uid}; }

    const SessionKey key;
    const uint32_t uid;
    const int32_t clientPid;
    const uint64_t startedNs;
    wire::Channel client;  // a duplicate: for the note at the end
    wire::Channel control;
    ReplyQueue replies{control};
    const session::PageMapping<session::StatusPage> page;
    SessionMemory memory;
    bool makesDmaBufs = false;  // it has asked for some, and waits
    bool left = false;          // said goodbye: no longer in the tables

  private:
    UniqueFd pidfd_;
    int32_t pid_ = 0;
    std::string killReason_;
};

}  // namespace larod::service
