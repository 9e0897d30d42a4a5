// SPDX-License-Identifier: Apache-2.0
// A program as a process of its own, with what it prints.
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

#include "base/unique_fd.h"

namespace larod::test {

struct ProgramSetup {
    std::vector<std::string> arguments;  // the first one is the program, searched in PATH when it has no slash
    std::map<std::string, std::string> environment;  // on top of the test's own
    std::string directory = ".";
    bool ownGroup = false;  // as a shell gives each job a process group
};

struct Outcome {
    int exitStatus = -1;  // -1: ended by `signal`
    int signal = 0;
    std::string out;
    std::string err;
};

// For execve and its like: the test's own environment with `changes`.
[[nodiscard]] std::vector<std::string> mergedEnvironment(const std::map<std::string, std::string>& changes);
// With a null at the end; the strings are borrowed.
[[nodiscard]] std::vector<char*> pointersTo(std::vector<std::string>& strings);

// The destructor kills what still runs.
class Program {
  public:
    explicit Program(const ProgramSetup& setup);
    ~Program();
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;

    [[nodiscard]] pid_t pid() const noexcept { return pid_; }
    void signal(int number) const;

    // Reads on until `text` stands in what was printed on stdout so far, and returns all of that; the test fails when
    // stdout ends before. The same for stderr.
    std::string waitForOutput(const std::string& text);
    std::string waitForError(const std::string& text);

    // A line for its stdin, and the end of it.
    void write(const std::string& text) const;
    void closeInput() { stdin_.reset(); }

    // Waits for its end. Once.
    Outcome wait();

  private:
    static std::string readUntil(int fd, std::string& sofar, const std::string& text);

    pid_t pid_ = -1;
    UniqueFd stdin_;
    UniqueFd stdout_;
    UniqueFd stderr_;
    std::string out_;
    std::string err_;
};

[[nodiscard]] Outcome runProgram(const ProgramSetup& setup);

// A process that isn't a child of the test, held so that its end can be waited for.
class WatchedProcess {
  public:
    explicit WatchedProcess(pid_t pid);
    // False when it still runs after more time than a busy machine needs.
    [[nodiscard]] bool waitForEnd() const;
    void kill() const;

  private:
    pid_t pid_;
    UniqueFd pidFd_;
};

}  // namespace larod::test
