// SPDX-License-Identifier: Apache-2.0
// What operators may ask a service: who uses it, what is loaded, who has the devices. Form as in messages.h.
//
// Much of it is what sessions say of themselves, and they may lie: it is for people to read, and decides nothing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "wire/messages.h"

namespace larod::wire {

// Asks for one page: the sessions and models with greater ids than these, in the order of their ids. Answered by
// Status, or by a Failure with EACCES where the client runs neither as root nor as the service's user.
struct GetStatus {
    static constexpr auto kType = MessageType::GetStatus;
    uint64_t afterSession = 0;  // ids start at 1
    uint64_t afterModel = 0;

    template <class Archive>
    void fields(Archive& archive) {
        archive(afterSession);
        archive(afterModel);
    }
};

struct DeviceStatus {
    DeviceInfo info;
    // Whose hardware runs its jobs: its own, or another device's, whose turn it shares; that one may be in no list.
    DeviceInfo unit;
    uint64_t holder = 0;   // the session that has the unit's turn; 0: none
    uint32_t waiting = 0;  // sessions that wait for it

    template <class Archive>
    void fields(Archive& archive) {
        info.fields(archive);
        unit.fields(archive);
        archive(holder);
        archive(waiting);
    }
};

enum class SessionState : uint8_t {
    Connecting,  // has not said hello
    Open,
    Leaving,  // has disconnected, and its process not ended
};

struct SessionStatus {
    uint64_t id = 0;
    SessionState state = SessionState::Connecting;
    int32_t clientPid = 0;
    int32_t sessionPid = 0;  // 0: not known yet
    uint32_t uid = 0;
    std::string command;  // of the client, as the kernel has it: any bytes; empty where it can't be read
    uint64_t ageNs = 0;
    uint64_t allocatedBytes = 0;  // shared memory that the service gave it
    // What the session says of itself.
    uint64_t trackedTensors = 0;
    uint64_t trackedBytes = 0;
    uint64_t jobsDone = 0;
    uint64_t jobsFailed = 0;
    uint64_t jobsQueued = 0;
    uint64_t deviceTimeNs = 0;
    // Of the jobs that are done: in the queue, mapping or copying, running, writing or flushing outputs.
    uint64_t waitTimeNs = 0;
    uint64_t bindTimeNs = 0;
    uint64_t runTimeNs = 0;
    uint64_t syncTimeNs = 0;

    template <class Archive>
    void fields(Archive& archive) {
        archive(id);
        archive(state);
        archive(clientPid);
        archive(sessionPid);
        archive(uid);
        archive.text(command, kMaxCommandLength);
        archive(ageNs);
        archive(allocatedBytes);
        archive(trackedTensors);
        archive(trackedBytes);
        archive(jobsDone);
        archive(jobsFailed);
        archive(jobsQueued);
        archive(deviceTimeNs);
        archive(waitTimeNs);
        archive(bindTimeNs);
        archive(runTimeNs);
        archive(syncTimeNs);
    }
};

struct ModelStatus {
    uint64_t id = 0;
    uint32_t device = 0;  // place in Status::devices
    larodAccess access = LAROD_ACCESS_INVALID;
    uint64_t sizeBytes = 0;
    std::string name;
    uint64_t owner = 0;  // the session that loaded it; 0: it has ended
    uint32_t uid = 0;    // of whoever loaded it
    uint32_t users = 0;  // sessions that loaded or fetched it

    template <class Archive>
    void fields(Archive& archive) {
        archive(id);
        archive(device);
        archive(access);
        archive(sizeBytes);
        archive.text(name, kMaxModelNameLength);
        archive(owner);
        archive(uid);
        archive(users);
    }
};

struct Status {
    static constexpr auto kType = MessageType::Status;
    uint64_t uptimeNs = 0;
    std::vector<DeviceStatus> devices;  // all, on every page
    std::vector<SessionStatus> sessions;
    std::vector<ModelStatus> models;
    bool more = false;  // ask again with the last ids that came

    template <class Archive>
    void fields(Archive& archive) {
        archive(uptimeNs);
        archive.list(devices, kMaxDevices);
        archive.list(sessions, kMaxSessionsPerPage);
        archive.list(models, kMaxModelsPerPage);
        archive(more);
    }
};

}  // namespace larod::wire
