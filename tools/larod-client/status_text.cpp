// SPDX-License-Identifier: Apache-2.0
// The status of a service as --status prints it.
#include "larod-client/status_text.h"

#include <fmt/format.h>
#include <pwd.h>

#include <nlohmann/json.hpp>

#include "larod-client/model_table.h"
#include "larod-client/text_table.h"

namespace larod::tools {

namespace {

using Json = nlohmann::ordered_json;
constexpr auto kRight = TextTable::Align::Right;

double seconds(uint64_t ns) {
    return static_cast<double>(ns) / 1e9;
}

const char* stateText(wire::SessionState state) {
    switch (state) {
        case wire::SessionState::Connecting:
            return "connecting";
        case wire::SessionState::Open:
            return "open";
        case wire::SessionState::Leaving:
            return "leaving";
    }
    return "unknown";
}

std::string userText(uint32_t uid) {
    const passwd* entry = ::getpwuid(uid);
    return entry == nullptr ? fmt::format("{}", uid) : printable(entry->pw_name);
}

std::string deviceName(const wire::Status& status, uint32_t device) {
    return device < status.devices.size() ? status.devices[device].info.name : "?";
}

std::string idOrNone(uint64_t session) {
    return session == 0 ? "-" : fmt::format("{}", session);
}

std::string unitText(const wire::DeviceInfo& unit) {
    return printable(unit.name) + (unit.instance == 0 ? "" : fmt::format(" {}", unit.instance));
}

std::string deviceTable(const wire::Status& status) {
    // Devices of one unit share its turn.
    TextTable table({{"Device"}, {"Instance", kRight}, {"Unit"}, {"Held by", kRight}, {"Waiting", kRight}});
    for (const wire::DeviceStatus& device : status.devices) {
        table.addRow({printable(device.info.name), fmt::format("{}", device.info.instance), unitText(device.unit),
                      idOrNone(device.holder), fmt::format("{}", device.waiting)});
    }
    return table.text();
}

std::string sessionTable(const wire::Status& status) {
    TextTable table({{"Session", kRight},
                     {"State"},
                     {"Pid", kRight},
                     {"User"},
                     {"Command"},
                     {"Age", kRight},
                     {"Done", kRight},
                     {"Failed", kRight},
                     {"Queued", kRight},
                     {"Device time", kRight},
                     {"Tensors", kRight},
                     {"Tracked", kRight},
                     {"Allocated", kRight}});
    for (const wire::SessionStatus& session : status.sessions) {
        table.addRow({fmt::format("{}", session.id), stateText(session.state), fmt::format("{}", session.clientPid),
                      userText(session.uid), session.command.empty() ? "?" : printable(session.command),
                      fmt::format("{:.1f} s", seconds(session.ageNs)), fmt::format("{}", session.jobsDone),
                      fmt::format("{}", session.jobsFailed), fmt::format("{}", session.jobsQueued),
                      fmt::format("{:.3f} s", seconds(session.deviceTimeNs)), fmt::format("{}", session.trackedTensors),
                      byteText(session.trackedBytes), byteText(session.allocatedBytes)});
    }
    return table.text();
}

std::string modelTable(const wire::Status& status) {
    TextTable table({{"Model", kRight},
                     {"Device"},
                     {"Access"},
                     {"Size", kRight},
                     {"Session", kRight},
                     {"User"},
                     {"Used by", kRight},
                     {"Name"}});
    for (const wire::ModelStatus& model : status.models) {
        table.addRow({fmt::format("{}", model.id), printable(deviceName(status, model.device)),
                      accessText(model.access), byteText(model.sizeBytes), idOrNone(model.owner), userText(model.uid),
                      fmt::format("{}", model.users), printable(model.name)});
    }
    return table.text();
}

Json idOrNull(uint64_t session) {
    return session == 0 ? Json(nullptr) : Json(session);
}

}  // namespace

std::string statusTables(const wire::Status& status) {
    std::string text = fmt::format("The service runs for {:.1f} s; sessions: {}, models: {}\n\n",
                                   seconds(status.uptimeNs), status.sessions.size(), status.models.size());
    text += deviceTable(status) + "\n" + sessionTable(status);
    if (!status.models.empty()) {
        text += "\n" + modelTable(status);
    }
    return text;
}

std::string statusJson(const wire::Status& status) {
    Json devices = Json::array();
    for (const wire::DeviceStatus& device : status.devices) {
        devices.push_back({{"name", device.info.name},
                           {"instance", device.info.instance},
                           {"unit", device.unit.name},
                           {"unit_instance", device.unit.instance},
                           {"holder", idOrNull(device.holder)},
                           {"waiting", device.waiting}});
    }
    Json sessions = Json::array();
    for (const wire::SessionStatus& session : status.sessions) {
        sessions.push_back({{"id", session.id},
                            {"state", stateText(session.state)},
                            {"pid", session.clientPid},
                            {"session_pid", session.sessionPid},
                            {"uid", session.uid},
                            {"command", session.command},
                            {"age_s", seconds(session.ageNs)},
                            {"jobs_done", session.jobsDone},
                            {"jobs_failed", session.jobsFailed},
                            {"jobs_queued", session.jobsQueued},
                            {"device_time_s", seconds(session.deviceTimeNs)},
                            {"wait_time_s", seconds(session.waitTimeNs)},
                            {"bind_time_s", seconds(session.bindTimeNs)},
                            {"run_time_s", seconds(session.runTimeNs)},
                            {"sync_time_s", seconds(session.syncTimeNs)},
                            {"tracked_tensors", session.trackedTensors},
                            {"tracked_bytes", session.trackedBytes},
                            {"allocated_bytes", session.allocatedBytes}});
    }
    Json models = Json::array();
    for (const wire::ModelStatus& model : status.models) {
        models.push_back({{"id", model.id},
                          {"name", model.name},
                          {"device", deviceName(status, model.device)},
                          {"access", accessText(model.access)},
                          {"size_bytes", model.sizeBytes},
                          {"session", idOrNull(model.owner)},
                          {"uid", model.uid},
                          {"used_by", model.users}});
    }
    const Json all = {{"uptime_s", seconds(status.uptimeNs)},
                      {"devices", std::move(devices)},
                      {"sessions", std::move(sessions)},
                      {"models", std::move(models)}};
    // Whatever is no UTF-8 in a name becomes U+FFFD.
    return all.dump(2, ' ', true, Json::error_handler_t::replace) + "\n";
}

}  // namespace larod::tools
