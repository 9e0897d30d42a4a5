// SPDX-License-Identifier: Apache-2.0
// What a session process may still do. A model file is a program, and no verifier catches all of them (litert.md 6), so
// the process that parses and runs it can do little: no file can be opened, no process made or signalled, no socket
// created.
#pragma once

#include <linux/filter.h>

#include <span>
#include <vector>

namespace larod::session {

// The system call filter, built once before any fork: building it in each session would cost memory and time
// (processes.md 4).
class Sandbox {
  public:
    // `nodeRequests`: the requests (ioctl) that devices make of their nodes; may name one twice. Throws
    // Error(LAROD_ERROR_CREATE_SESSION).
    explicit Sandbox(std::span<const unsigned long> nodeRequests = {});

    // Applies the filter to the calling process: what it does not allow kills it (SIGSYS). For ever, and for its
    // threads.
    void enter() const;

  private:
    std::vector<sock_filter> program_;
};

// Closes every descriptor but 0, 1, 2 and `keep`.
void closeAllBut(std::vector<int> keep);

// Memory that a session can have beyond shared memory: data of its own (RLIMIT_DATA), half of the machine's. Also no
// core dumps, as many open files as allowed, and the first place where memory runs out. Before the filter is applied.
void setSessionLimits();

}  // namespace larod::session
