// SPDX-License-Identifier: Apache-2.0
#include "bench/service_process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"
#include "bench/ping_pong.h"

namespace larod::bench {
namespace {

namespace fs = std::filesystem;

fs::path findService() {
    const fs::path folder = fs::read_symlink("/proc/self/exe").parent_path();
    for (const fs::path& candidate : {folder / "larod", folder.parent_path() / "larod"}) {
        if (fs::is_regular_file(candidate)) {
            return candidate;
        }
    }
    throw Error(ENOENT, "there is no larod beside {} or above it; build it first", folder.string());
}

}  // namespace

ServiceProcess::ServiceProcess(unsigned threads, std::optional<int> cpu) {
    const std::string program = findService();
    folder_ = (fs::temp_directory_path() / "larod-bench-XXXXXX").string();
    if (::mkdtemp(folder_.data()) == nullptr) {
        throw Error(errno, "can't make a folder like {}: {}", folder_, errnoText(errno));
    }
    socketPath_ = folder_ + "/larod.sock";
    std::array<int, 2> ready{};
    if (::pipe2(ready.data(), O_CLOEXEC) != 0) {
        throw Error(errno, "can't make a pipe: {}", errnoText(errno));
    }
    const UniqueFd readEnd(ready[0]);
    UniqueFd writeEnd(ready[1]);
    std::vector<std::string> arguments = {program,    "--socket",  socketPath_,
                                          "--config", "/dev/null", "--log-level",
                                          "warn",     "--threads", std::to_string(threads)};
    if (LAROD_SANITIZED) {
        arguments.emplace_back("--sandbox=off");
    }
    std::vector<char*> argv;
    for (std::string& argument : arguments) {
        argv.push_back(argument.data());
    }
    argv.push_back(nullptr);
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGTERM);
        ::dup2(writeEnd.get(), STDOUT_FILENO);
        try {
            if (cpu) {
                runOnCpu(*cpu);
            }
        } catch (const Error&) {
            ::_exit(1);
        }
        if (::getppid() == parent) {
            ::execv(argv[0], argv.data());
        }
        ::_exit(127);
    }
    // The service prints its one line when it can be connected to; otherwise the pipe ends.
    writeEnd.reset();
    char byte = 0;
    while (::read(readEnd.get(), &byte, 1) == 1 && byte != '\n') {
    }
    if (byte != '\n') {
        ::waitpid(pid_, nullptr, 0);
        fs::remove_all(folder_);
        throw Error(LAROD_ERROR_CONNECTION, "{} did not start", program);
    }
}

ServiceProcess::~ServiceProcess() {
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
}

}  // namespace larod::bench
