// SPDX-License-Identifier: Apache-2.0
#include "service/crash_note.h"

#include <fmt/format.h>
#include <string.h>
#include <sys/wait.h>

#include <csignal>

namespace larod::service {
namespace {

std::string activityText(const SessionEnd& end) {
    const std::string model = end.model.empty() ? "a model" : fmt::format("model '{}'", end.model);
    const std::string device = end.device.empty() ? "" : fmt::format(" on {}", end.device);
    switch (end.activity) {
        case Activity::Loading:
            return fmt::format(" while loading a model{}", device);
        case Activity::Running:
            return fmt::format(" while running a job of {}{}", model, device);
        default:
            return "";
    }
}

}  // namespace

std::string crashNote(const SessionEnd& end) {
    const std::string activity = activityText(end);
    if (!end.reason.empty()) {
        return fmt::format("the service ended this session{}: {}", activity, end.reason);
    }
    if (WIFSIGNALED(end.waitStatus)) {
        const int signal = WTERMSIG(end.waitStatus);
        const char* description = ::sigdescr_np(signal);
        const char* hint = signal == SIGSYS ? "; it made a system call that its sandbox does not allow"
                                            : "; the model or its parameters are probably not fit for this device";
        return fmt::format("the session was ended by signal {} ({}){}{}", signal,
                           description == nullptr ? "?" : description, activity,
                           end.activity == Activity::Idle && signal != SIGSYS ? "" : hint);
    }
    return fmt::format("the session ended with status {}{}", WEXITSTATUS(end.waitStatus), activity);
}

}  // namespace larod::service
