// SPDX-License-Identifier: Apache-2.0
// larod: the service. Names every part and puts them together.
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/log.h"
#include "larod-version.h"
#include "service/arbiter.h"
#include "service/listener.h"
#include "service/options.h"
#include "service/spawner.h"
#include "session/status_page.h"
#include "wire/channel.h"

namespace larod::service {
namespace {

// The line that says that clients can connect: for people, and for programs that wait for it.
void printReady(const std::string& socketPath, const std::vector<wire::DeviceInfo>& devices) {
    std::string names;
    for (const wire::DeviceInfo& device : devices) {
        names += names.empty() ? device.name : ", " + device.name;
    }
    std::printf("larod %s is ready at %s with devices: %s\n", OPENLAROD_VERSION_STRING, socketPath.c_str(),
                names.empty() ? "none" : names.c_str());
    std::fflush(stdout);
}

// Where the standard descriptors are closed, sockets would get their numbers, and the log and the ready line with them.
void openStandardDescriptors() {
    int fd = -1;
    do {
        fd = ::open("/dev/null", O_RDWR);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd > STDERR_FILENO) {
        ::close(fd);
    }
}

// The arbiter holds three descriptors a session, and one a public model.
void raiseOpenFileLimit() {
    rlimit limit = {};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        ::setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int serve(const Options& options) {
    raiseOpenFileLimit();
    Listener listener(options.socketPath);
    auto [arbiterEnd, spawnerEnd] = wire::makeSocketPair();
    UniqueFd page = session::makePage("larod-service");
    UniqueFd readOnlyPage = session::reopenReadOnly(page.get());

    // The signals that end the service are read by the arbiter; blocked before the fork, so that none is lost.
    sigset_t set;
    ::sigemptyset(&set);
    ::sigaddset(&set, SIGINT);
    ::sigaddset(&set, SIGTERM);
    ::sigaddset(&set, SIGHUP);
    ::sigprocmask(SIG_BLOCK, &set, nullptr);

    const pid_t self = ::getpid();
    const pid_t spawner = ::fork();
    if (spawner < 0) {
        throw Error(LAROD_ERROR_CREATE_SESSION, "can't make a process: {}", errnoText(errno));
    }
    if (spawner == 0) {
        ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
        ::_exit(runSpawner(options, {UniqueFd(listener.fd()), std::move(spawnerEnd), std::move(readOnlyPage)}, self));
    }
    spawnerEnd.reset();
    readOnlyPage.reset();
    listener.closeSocket();
    session::PageMapping<session::ServicePage> servicePage(page.get());
    bool stopped = false;
    {
        Arbiter arbiter(options, std::move(arbiterEnd), servicePage,
                        [&options](const auto& devices) { printReady(options.socketPath, devices); });
        stopped = arbiter.run();
    }
    int status = 0;
    ::waitpid(spawner, &status, 0);
    if (!stopped) {
        log::error("the spawner ended unexpectedly (wait status {:#x}); the service ends", status);
        return 1;
    }
    return 0;
}

}  // namespace
}  // namespace larod::service

int main(int argc, char** argv) {
    larod::service::openStandardDescriptors();
    int exitStatus = 0;
    const auto options = larod::service::parseOptions(argc, argv, exitStatus);
    if (!options) {
        return exitStatus;
    }
    try {
        larod::initLog(options->logLevel, "larod");
        return larod::service::serve(*options);
    } catch (const larod::Error& error) {
        std::fprintf(stderr, "larod: %s\n", error.what());
        return 1;
    }
}
