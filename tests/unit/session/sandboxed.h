// SPDX-License-Identifier: Apache-2.0
// Runs a function in a process of its own, as a session is started.
#pragma once

#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <string>

#include "session/sandbox.h"

namespace larod::session::test {

constexpr int kWrong = 1;            // the child saw something else than it should
constexpr unsigned kTooLongS = 120;  // then SIGALRM ends a child that waits for ever

// Built once, before any fork, as in the spawner.
inline const Sandbox& sandbox() {
    static const Sandbox instance;
    return instance;
}

// The wait status of a child that calls `function` and exits with what it returns.
template <typename Function>
int inChild(Function&& function) {
    const pid_t child = ::fork();
    if (child == 0) {
        ::alarm(kTooLongS);
        ::_exit(function());
    }
    int status = -1;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return status;
}

// As a session is started: one arena, limits, filter; then `action` (true: as it should be).
inline int inSandbox(const std::function<bool()>& action) {
    const Sandbox& filter = sandbox();
    return inChild([&] {
        ::mallopt(M_ARENA_MAX, 1);
        setSessionLimits();
        filter.enter();
        return action() ? 0 : kWrong;
    });
}

inline std::string endText(int status) {
    if (WIFSIGNALED(status)) {
        return std::string("signal ") + ::strsignal(WTERMSIG(status));
    }
    return "exit " + std::to_string(WEXITSTATUS(status));
}

}  // namespace larod::session::test
