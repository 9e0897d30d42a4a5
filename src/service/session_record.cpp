// SPDX-License-Identifier: Apache-2.0
#include "service/session_record.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/monotonic_time.h"

namespace larod::service {

SessionRecord::SessionRecord(const session::control::SessionStarted& started, UniqueFd itsClient, UniqueFd itsControl,
                             int pageFd, uint64_t memoryLimitBytes)
    : key(started.session),
      uid(started.uid),
      clientPid(started.clientPid),
      startedNs(monotonicNs()),
      client(std::move(itsClient)),
      control(std::move(itsControl)),
      page(pageFd),
      memory(memoryLimitBytes) {}

void SessionRecord::kill(std::string reason) {
    killReason_ = std::move(reason);
    if (pidfd_) {
        ::syscall(SYS_pidfd_send_signal, pidfd_.get(), SIGKILL, nullptr, 0);
    } else if (pid_ > 0) {
        ::kill(pid_, SIGKILL);  // no descriptor was free for a pidfd
    }
}

void SessionRecord::setProcess(int32_t itsPid, UniqueFd itsPidfd) {
    pid_ = itsPid;
    pidfd_ = std::move(itsPidfd);
}

}  // namespace larod::service
