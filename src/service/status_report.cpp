// SPDX-License-Identifier: Apache-2.0
#include "service/status_report.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>

#include "base/error.h"
#include "base/unique_fd.h"

namespace larod::service {
namespace {

// A page is kept below this; a datagram can hold more than three times as much.
constexpr size_t kStatusPageBytes = 64 * 1024;
constexpr size_t kEntryBytes = 160;  // of a session or a model, without its text

std::string commandOf(int32_t pid) {
    const UniqueFd file(::open(fmt::format("/proc/{}/comm", pid).c_str(), O_RDONLY | O_CLOEXEC));
    std::array<char, wire::kMaxCommandLength> text;
    const ssize_t size = file ? ::read(file.get(), text.data(), text.size()) : 0;
    std::string command(text.data(), static_cast<size_t>(std::max<ssize_t>(size, 0)));
    if (command.ends_with('\n')) {
        command.pop_back();
    }
    return command;
}

wire::SessionStatus describe(const SessionRecord& session, size_t unitCount, uint64_t nowNs) {
    const auto counter = [](const std::atomic<uint64_t>& value, uint64_t most = UINT64_MAX) {
        return std::min(value.load(std::memory_order_relaxed), most);
    };
    const session::StatusPage& page = *session.page;
    wire::SessionStatus status;
    status.id = session.key;
    status.state = session.left          ? wire::SessionState::Leaving
                   : session.isPresent() ? wire::SessionState::Open
                                         : wire::SessionState::Connecting;
    status.clientPid = session.clientPid;
    status.sessionPid = session.pid();
    status.uid = session.uid;
    status.command = commandOf(session.clientPid);
    status.ageNs = nowNs - session.startedNs;
    status.allocatedBytes = session.memory.bytes();
    status.trackedTensors = counter(page.trackedTensors, wire::kMaxTrackedTensors);
    status.trackedBytes = counter(page.trackedBytes);
    status.jobsDone = counter(page.jobsDone);
    status.jobsFailed = counter(page.jobsFailed);
    status.jobsQueued = counter(page.jobsQueued, wire::kMaxOutstandingRequests);
    const uint64_t mostDeviceNs = status.ageNs * std::max<size_t>(unitCount, 1);
    status.deviceTimeNs = counter(page.deviceTimeNs, mostDeviceNs);
    status.waitTimeNs = counter(page.waitTimeNs);
    status.bindTimeNs = counter(page.bindTimeNs, mostDeviceNs);
    status.runTimeNs = counter(page.runTimeNs, mostDeviceNs);
    status.syncTimeNs = counter(page.syncTimeNs, mostDeviceNs);
    return status;
}

wire::ModelStatus describe(const ModelRecord& model) {
    wire::ModelStatus status;
    status.id = model.info.id;
    status.device = model.info.device;
    status.access = model.info.access;
    status.sizeBytes = model.info.sizeBytes;
    status.name = model.info.name;
    status.owner = model.owner ? model.owner->session : 0;
    status.uid = model.uid;
    status.users = static_cast<uint32_t>(model.users.size());
    return status;
}

}  // namespace

bool mayReadStatus(uint32_t uid) noexcept {
    return uid == 0 || uid == ::geteuid();
}

wire::Status statusPage(const SharedTables& tables, const wire::GetStatus& request, uint64_t nowNs) {
    wire::Status page;
    page.uptimeNs = nowNs - tables.startedNs;
    const session::control::DeviceTable& devices = tables.devices;
    for (size_t i = 0; i < devices.listed.size(); ++i) {
        const uint32_t unit = devices.unitOf[i];
        const DeviceTurns& turns = tables.turns[unit];
        page.devices.push_back({devices.listed[i], devices.units[unit], turns.holder().value_or(0),
                                static_cast<uint32_t>(turns.waiting())});
    }
    size_t size = 0;
    tables.sessions.forEachAfter(request.afterSession, [&](const SessionRecord& session) {
        size += kEntryBytes;
        page.more = size > kStatusPageBytes || page.sessions.size() == wire::kMaxSessionsPerPage;
        if (!page.more) {
            page.sessions.push_back(describe(session, devices.units.size(), nowNs));
        }
        return !page.more;
    });
    if (page.more) {
        return page;
    }
    tables.models.forEachAfter(request.afterModel, [&](const ModelRecord& model) {
        size += kEntryBytes + model.info.name.size();
        page.more = size > kStatusPageBytes || page.models.size() == wire::kMaxModelsPerPage;
        if (!page.more) {
            page.models.push_back(describe(model));
        }
        return !page.more;
    });
    return page;
}

}  // namespace larod::service
