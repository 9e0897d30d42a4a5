// SPDX-License-Identifier: Apache-2.0
#include "service/spawner.h"

#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "base/error.h"
#include "base/log.h"
#include "base/monotonic_time.h"
#include "buffer/sigbus_guard.h"
#include "device/device_list.h"
#include "service/quota.h"
#include "session/control_messages.h"
#include "session/sandbox.h"
#include "session/session.h"
#include "session/status_page.h"
#include "wire/channel.h"
#include "wire/codec.h"

// There where the program is built with a leak checker: an orderly end of a session checks, too.
extern "C" __attribute__((weak)) int __lsan_do_recoverable_leak_check();

namespace larod::service {
namespace {

namespace control = session::control;

// A session is a process and three descriptors of the arbiter. No user can take all of them.
constexpr size_t kMaxSessions = 512;
constexpr size_t kMaxSessionsPerUser = 256;

// Of the arbiter: what it has open without any session, and while it makes buffers.
constexpr uint64_t kReservedFds = 32;
constexpr uint64_t kFdsPerSession = 3;

// How many sessions this process's limit of open files allows, which is also the arbiter's. A session beyond would be
// welcomed and could do nothing.
uint64_t sessionsThatFit() {
    rlimit limit = {};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return kMaxSessions;
    }
    const uint64_t fds = limit.rlim_cur;
    return std::clamp<uint64_t>((fds - std::min(fds, kReservedFds)) / kFdsPerSession, 1, kMaxSessions);
}

constexpr uint64_t kRefusalLogIntervalNs = 1'000'000'000;

constexpr int kExitLeaks = 23;
constexpr int kExitError = 1;

class Spawner {
  public:
    Spawner(const Options& options, SpawnerFds fds)
        : options_(options),
          listener_(std::move(fds.listener)),
          arbiter_(std::move(fds.arbiter)),
          servicePage_(fds.servicePage.get()) {}

    int run();

  private:
    [[noreturn]] void becomeSession(UniqueFd client, UniqueFd controlEnd, UniqueFd page);
    void acceptClient();
    void startSession(UniqueFd client);
    void reap();
    void loadDevices();
    [[nodiscard]] control::DeviceTable deviceTable() const;
    void setUpSignals();

    template <typename Message>
    bool tell(const Message& message, std::span<const int> sent = {}) {
        std::array<std::byte, 64 * 1024> buffer;  // twice kMaxDevices names of full length
        return arbiter_.send(wire::encode(message, 0, buffer), sent, wire::Wait::Yes) == wire::Sent::Yes;
    }

    const Options& options_;
    const UniqueFd listener_;
    wire::Channel arbiter_;
    const session::PageMapping<const session::ServicePage> servicePage_;
    device::DeviceList devices_;
    std::optional<session::Sandbox> sandbox_;
    UniqueFd childSignal_;
    struct Running {
        uint64_t key;
        uid_t uid;
    };
    std::map<pid_t, Running> sessions_;  // by process
    const uint64_t maxSessions_ = sessionsThatFit();
    Quota quota_{kMaxSessionsPerUser, maxSessions_};
    uint64_t lastSession_ = 0;
    uint64_t lastRefusalLogNs_ = 0;
    const pid_t spawnerPid_ = ::getpid();
};

// The parent's death ends this process. The parent may have died before the call: then somebody else is the parent now.
void dieWithParent(pid_t parent) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) {
        ::_exit(kExitError);
    }
}

void Spawner::loadDevices() {
    // One arena for all threads: glibc opens a file in /proc when it shrinks a second one, which the sandbox does not
    // allow; and sessions stay small.
    ::mallopt(M_ARENA_MAX, 1);
    buffer::sigbus_guard::install();
    devices_ = device::makeDevices(options_.devices);
    if (options_.sandbox == SandboxMode::On) {
        std::vector<unsigned long> nodeRequests;
        for (size_t unit = 0; unit < devices_.unitCount(); ++unit) {
            const auto requests = devices_.unit(unit).nodeRequests();
            nodeRequests.insert(nodeRequests.end(), requests.begin(), requests.end());
        }
        sandbox_.emplace(nodeRequests);
    }
}

control::DeviceTable Spawner::deviceTable() const {
    const auto info = [](const device::Device& device) {
        return wire::DeviceInfo{device.name(), device.instance(), device.takesFile()};
    };
    control::DeviceTable table;
    for (size_t i = 0; i < devices_.size(); ++i) {
        table.listed.push_back(info(devices_[i]));
        table.unitOf.push_back(devices_.unitOf(i));
    }
    for (size_t unit = 0; unit < devices_.unitCount(); ++unit) {
        table.units.push_back(info(devices_.unit(unit)));
        table.nodes.push_back({devices_.unit(unit).node()});
    }
    return table;
}

void Spawner::setUpSignals() {
    // What a terminal or a service manager sends to the whole group is the arbiter's to act on.
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) {
        ::signal(signal, SIG_IGN);
    }
    sigset_t set;
    ::sigemptyset(&set);
    ::sigaddset(&set, SIGCHLD);
    ::sigprocmask(SIG_BLOCK, &set, nullptr);
    childSignal_.reset(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

int Spawner::run() {
    loadDevices();
    setUpSignals();
    if (!tell(control::Ready{deviceTable()})) {
        return kExitError;
    }
    for (;;) {
        std::array<pollfd, 3> events = {
            {{listener_.get(), POLLIN, 0}, {childSignal_.get(), POLLIN, 0}, {arbiter_.fd(), POLLIN, 0}}};
        if (::poll(events.data(), events.size(), -1) < 0 && errno != EINTR) {
            return kExitError;
        }
        if (events[2].revents != 0) {
            return 0;  // the arbiter sends nothing: it is gone, and the sessions end with this process
        }
        if (events[1].revents != 0) {
            reap();
        }
        if (events[0].revents != 0) {
            acceptClient();
        }
    }
}

void Spawner::reap() {
    signalfd_siginfo info;
    while (::read(childSignal_.get(), &info, sizeof(info)) > 0) {
    }
    int status = 0;
    for (pid_t pid = 0; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
        const auto it = sessions_.find(pid);
        if (it != sessions_.end()) {
            tell(control::SessionEnded{it->second.key, status});
            quota_.remove(it->second.uid);
            sessions_.erase(it);
        }
    }
}

void Spawner::acceptClient() {
    UniqueFd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!client) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) {
            log::error("can't accept a client: {}", errnoText(errno));
            // The client stays in the queue; without a pause this would be a busy loop until something is closed.
            ::poll(nullptr, 0, 50);
        }
        return;
    }
    try {
        startSession(std::move(client));
    } catch (const Error& error) {
        // Not for each of many: whoever can connect could fill the disk.
        const uint64_t now = monotonicNs();
        if (now - lastRefusalLogNs_ > kRefusalLogIntervalNs) {
            lastRefusalLogNs_ = now;
            log::error("a client got no session: {}", error.text());
        }
    }
}

void Spawner::startSession(UniqueFd client) {
    ucred credentials = {};
    socklen_t length = sizeof(credentials);
    ::getsockopt(client.get(), SOL_SOCKET, SO_PEERCRED, &credentials, &length);

    const uint64_t key = ++lastSession_;
    pid_t pid = -1;
    bool announced = false;
    try {
        if (!quota_.fitsHolder(credentials.uid) || !quota_.fitsAll()) {
            throw Error(
                LAROD_ERROR_CREATE_SESSION,
                "{} sessions are open, {} of them of user {}; at most {} and {} are possible. Disconnect some first",
                quota_.all(), quota_.of(credentials.uid), credentials.uid, maxSessions_, kMaxSessionsPerUser);
        }
        auto [arbiterEnd, sessionEnd] = wire::makeSocketPair();
        UniqueFd page = session::makePage("larod-session");
        // Before the fork, so that whatever the session asks for, the arbiter knows it already.
        const std::array<int, 3> sent = {client.get(), arbiterEnd.get(), page.get()};
        announced = tell(control::SessionStarted{key, credentials.uid, credentials.pid}, sent);
        arbiterEnd.reset();
        pid = ::fork();
        if (pid == 0) {
            becomeSession(std::move(client), std::move(sessionEnd), std::move(page));
        }
        if (pid < 0) {
            throw Error(LAROD_ERROR_CREATE_SESSION, "can't make a process for the session: {}", errnoText(errno));
        }
    } catch (const Error& error) {
        std::array<std::byte, 1024> buffer;
        const wire::Refusal refusal{wire::kProtocolVersion, wire::kMagic, LAROD_ERROR_CREATE_SESSION, error.text()};
        wire::Channel channel(std::move(client));
        [[maybe_unused]] const wire::Sent told = channel.send(wire::encodeRefusal(refusal, buffer), {}, wire::Wait::No);
        if (announced) {
            tell(control::SessionEnded{key, 0});  // after the refusal: the arbiter shuts the socket down
        }
        throw;
    }
    sessions_.emplace(pid, Running{key, credentials.uid});
    quota_.add(credentials.uid);
    const UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    const int fd = pidfd.get();
    tell(control::SessionForked{key, pid}, std::span<const int>(&fd, pidfd ? 1 : 0));
}

void Spawner::becomeSession(UniqueFd client, UniqueFd controlEnd, UniqueFd page) {
    int status = 0;
    try {
        dieWithParent(spawnerPid_);
        session::closeAllBut({client.get(), controlEnd.get(), page.get(), logFd()});
        ::signal(SIGCHLD, SIG_DFL);
        sigset_t none;
        ::sigemptyset(&none);
        ::sigprocmask(SIG_SETMASK, &none, nullptr);
        renameLog("session");
        const session::PageMapping<session::StatusPage> statusPage(page.get());
        page.reset();
        if (sandbox_) {
            session::setSessionLimits();
            sandbox_->enter();
        }
        {
            session::Session session(std::move(client), std::move(controlEnd), devices_, *statusPage, *servicePage_,
                                     {.threads = options_.threads,
                                      .powerControlled = options_.power.has_value(),
                                      .fenceTimeoutMs = options_.fenceTimeoutMs});
            session.serve();
        }
        devices_ = {};
        if (__lsan_do_recoverable_leak_check != nullptr && __lsan_do_recoverable_leak_check() != 0) {
            status = kExitLeaks;
        }
    } catch (const std::exception& error) {
        log::error("the session ends: {}", error.what());
        status = kExitError;
    }
    // Nothing of the spawner that this process has a copy of is to be destroyed here.
    ::_exit(status);
}

}  // namespace

int runSpawner(const Options& options, SpawnerFds fds, pid_t arbiter) {
    dieWithParent(arbiter);
    // The terminal's input and the line that says that the service is ready are no business of sessions.
    const UniqueFd nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
    ::dup2(nothing.get(), STDIN_FILENO);
    ::dup2(nothing.get(), STDOUT_FILENO);
    renameLog("spawner");
    try {
        session::closeAllBut({fds.listener.get(), fds.arbiter.get(), fds.servicePage.get(), logFd()});
        Spawner spawner(options, std::move(fds));
        return spawner.run();
    } catch (const Error& error) {
        log::error("{}", error.text());
        return kExitError;
    }
}

}  // namespace larod::service
