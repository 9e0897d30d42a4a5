// SPDX-License-Identifier: Apache-2.0
#include "session/sandbox.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/dma-buf.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "base/error.h"
#include "base/unique_fd.h"

namespace larod::session {
namespace {

// What the session itself and the frameworks do in normal work, on the architectures we know. Names that an
// architecture does not have are skipped by libseccomp.
constexpr int kAllowed[] = {
    // Its sockets.
    SCMP_SYS(recvmsg),
    SCMP_SYS(sendmsg),
    SCMP_SYS(shutdown),
    // Files that it was given.
    SCMP_SYS(read),
    SCMP_SYS(write),
    SCMP_SYS(pread64),
    SCMP_SYS(pwrite64),
    SCMP_SYS(lseek),
    SCMP_SYS(close),
    SCMP_SYS(fstat),
    SCMP_SYS(fstatfs),
    SCMP_SYS(dup),
    SCMP_SYS(dup3),
    SCMP_SYS(pipe2),
    SCMP_SYS(eventfd2),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    // Memory; mmap and mprotect below.
    SCMP_SYS(brk),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    // Threads.
    SCMP_SYS(futex),
    SCMP_SYS(futex_waitv),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(getcpu),
    SCMP_SYS(membarrier),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    // Signals of its own.
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(restart_syscall),
    // Time and identity.
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_getres),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(nanosleep),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(getuid),
    SCMP_SYS(geteuid),
    SCMP_SYS(getgid),
    SCMP_SYS(getegid),
    SCMP_SYS(getrandom),
    SCMP_SYS(uname),
    SCMP_SYS(sysinfo),
    SCMP_SYS(getrlimit),
};

// Refused without ending the process: libraries ask and live with a no.
struct Refused {
    int call;
    uint32_t error;
};
constexpr Refused kRefused[] = {
    {SCMP_SYS(newfstatat), EACCES},  // it takes a path, which the filter can't see
    {SCMP_SYS(clone3), ENOSYS},      // its flags are out of the filter's sight; glibc then uses clone
    {SCMP_SYS(tgkill), EPERM},       // abort(); the process then ends by an illegal instruction
    {SCMP_SYS(sched_setaffinity), EPERM},
    {SCMP_SYS(sched_setscheduler), EPERM},
    {SCMP_SYS(setpriority), EPERM},
    {SCMP_SYS(mlock), EPERM},
    {SCMP_SYS(mbind), EPERM},
    {SCMP_SYS(get_mempolicy), EPERM},
    {SCMP_SYS(set_mempolicy), EPERM},
};

// The condition (argument & mask) == value; a call without one is allowed whatever its arguments.
scmp_arg_cmp masked(unsigned argument, scmp_datum_t mask, scmp_datum_t value) {
    return {argument, SCMP_CMP_MASKED_EQ, mask, value};
}

scmp_arg_cmp equal(unsigned argument, scmp_datum_t value) {
    return {argument, SCMP_CMP_EQ, value, 0};
}

class Filter {
  public:
    Filter() : context_(::seccomp_init(SCMP_ACT_KILL_PROCESS)) {
        if (context_ == nullptr) {
            throw Error(LAROD_ERROR_CREATE_SESSION, "can't create a system call filter");
        }
    }
    ~Filter() { ::seccomp_release(context_); }
    Filter(const Filter&) = delete;
    Filter& operator=(const Filter&) = delete;

    void add(uint32_t action, int call, std::initializer_list<scmp_arg_cmp> arguments = {}) {
        check(::seccomp_rule_add_array(context_, action, call, static_cast<unsigned>(arguments.size()),
                                       arguments.begin()));
    }
    void optimize() { check(::seccomp_attr_set(context_, SCMP_FLTATR_CTL_OPTIMIZE, 2)); }
    void exportTo(int fd) { check(::seccomp_export_bpf(context_, fd)); }

  private:
    static void check(int result) {
        if (result < 0) {
            throw Error(LAROD_ERROR_CREATE_SESSION, "can't build the system call filter: {}", errnoText(-result));
        }
    }

    scmp_filter_ctx context_;
};

}  // namespace

Sandbox::Sandbox(std::span<const unsigned long> nodeRequests) {
    Filter filter;
    filter.optimize();
    for (const int call : kAllowed) {
        filter.add(SCMP_ACT_ALLOW, call);
    }
    for (const auto& [call, error] : kRefused) {
        filter.add(SCMP_ACT_ERRNO(error), call);
    }
    // Memory never becomes executable.
    for (const int call : {SCMP_SYS(mmap), SCMP_SYS(mmap2), SCMP_SYS(mprotect)}) {
        filter.add(SCMP_ACT_ALLOW, call, {masked(2, PROT_EXEC, 0)});
    }
    // Threads, but no processes.
    filter.add(SCMP_ACT_ALLOW, SCMP_SYS(clone), {masked(0, CLONE_THREAD, CLONE_THREAD)});
    filter.add(SCMP_ACT_ALLOW, SCMP_SYS(ioctl), {equal(1, DMA_BUF_IOCTL_SYNC)});
    const std::set<unsigned long> requests(nodeRequests.begin(), nodeRequests.end());
    for (const unsigned long request : requests) {
        filter.add(SCMP_ACT_ALLOW, SCMP_SYS(ioctl), {equal(1, request)});
    }
    for (const int command : {F_GETFL, F_GETFD, F_SETFD, F_DUPFD_CLOEXEC, F_GET_SEALS}) {
        filter.add(SCMP_ACT_ALLOW, SCMP_SYS(fcntl), {equal(1, static_cast<scmp_datum_t>(command))});
    }
    // Its own limits, for reading.
    filter.add(SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), {equal(0, 0), equal(2, 0)});
    filter.add(SCMP_ACT_ALLOW, SCMP_SYS(prctl), {equal(0, PR_SET_NAME)});
    filter.add(SCMP_ACT_ERRNO(EPERM), SCMP_SYS(prctl), {scmp_arg_cmp{0, SCMP_CMP_NE, PR_SET_NAME, 0}});

    const UniqueFd file(::memfd_create("larod-filter", MFD_CLOEXEC));
    if (!file) {
        throw Error(LAROD_ERROR_CREATE_SESSION, "can't create a memory file: {}", errnoText(errno));
    }
    filter.exportTo(file.get());
    const off_t length = ::lseek(file.get(), 0, SEEK_END);
    program_.resize(static_cast<size_t>(length) / sizeof(sock_filter));
    if (length <= 0 || ::pread(file.get(), program_.data(), static_cast<size_t>(length), 0) != length) {
        throw Error(LAROD_ERROR_CREATE_SESSION, "can't read back the system call filter");
    }
}

void Sandbox::enter() const {
    // A service that runs as root has no capability to lend to a session.
    __user_cap_header_struct capabilities = {};
    capabilities.version = _LINUX_CAPABILITY_VERSION_3;
    const __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {};
    if (::syscall(SYS_capset, &capabilities, none) != 0) {
        throw Error(LAROD_ERROR_CREATE_SESSION, "can't give up capabilities: {}", errnoText(errno));
    }
    sock_fprog program = {};
    program.len = static_cast<unsigned short>(program_.size());
    program.filter = const_cast<sock_filter*>(program_.data());  // the kernel copies it
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0) {
        throw Error(LAROD_ERROR_CREATE_SESSION,
                    "can't apply the system call filter: {}. Where the kernel has no seccomp filters, 'larod "
                    "--sandbox=off' runs "
                    "without",
                    errnoText(errno));
    }
}

void closeAllBut(std::vector<int> keep) {
    std::sort(keep.begin(), keep.end());
    unsigned from = 3;
    for (const int fd : keep) {
        const auto kept = static_cast<unsigned>(std::max(fd, 0));
        if (kept < from) {
            continue;
        }
        if (kept > from) {
            ::close_range(from, kept - 1, 0);
        }
        from = kept + 1;
    }
    ::close_range(from, ~0U, 0);
}

void setSessionLimits() {
    rlimit limit = {};
    const auto pages = static_cast<rlim_t>(::sysconf(_SC_PHYS_PAGES));
    limit.rlim_cur = limit.rlim_max = pages * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE)) / 2;
    ::setrlimit(RLIMIT_DATA, &limit);
    limit.rlim_cur = limit.rlim_max = 0;
    ::setrlimit(RLIMIT_CORE, &limit);
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        ::setrlimit(RLIMIT_NOFILE, &limit);
    }
    // Where memory runs out, a session goes before the processes that all sessions need.
    const UniqueFd score(::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
    if (score) {
        [[maybe_unused]] const ssize_t written = ::write(score.get(), "500", 3);
    }
}

}  // namespace larod::session
