// SPDX-License-Identifier: Apache-2.0
// The messages between a session or the spawner and the arbiter. Same form as those of clients (wire/messages.h), same
// codec; GetModel, GetModels, GetNumSessions, GetStatus and their replies are passed on as they are. What a session
// says is as untrusted as what a client says.
//
// A session's requests have ids that grow; a message that wants no reply has id 0.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "wire/messages.h"

namespace larod::session::control {

inline constexpr size_t kMaxNodePathLength = 255;

inline constexpr auto messageType(uint32_t value) noexcept {
    return static_cast<wire::MessageType>(value);
}

// Session to arbiter: one zero-filled buffer a size: a sealed memory file, or a dma-buf. Answered by MemoryAllocated
// with the fds, in order; for dma-bufs that takes its time.
struct AllocMemory {
    static constexpr auto kType = messageType(256);
    std::vector<uint64_t> sizes;
    bool dmaBufs = false;
    template <class Archive>
    void fields(Archive& archive) {
        archive.list(sizes, wire::kMaxTensors);
        archive(dmaBufs);
    }
};

struct MemoryAllocated {
    static constexpr auto kType = messageType(257);
    std::vector<uint64_t> ids;
    template <class Archive>
    void fields(Archive& archive) {
        archive.list(ids, wire::kMaxTensors);
    }
};

// Session to arbiter, no reply: these no longer count against the session's limit. Unknown ids are ignored.
struct ReleaseMemory {
    static constexpr auto kType = messageType(258);
    std::vector<uint64_t> ids;
    template <class Archive>
    void fields(Archive& archive) {
        archive.list(ids, 4096);
    }
};

// Session to arbiter: a model was loaded. Answered by ModelRegistered. For a model that others may use the fd of its
// data comes along (`hasFile`), in memory from AllocMemory that nothing writes to any more; the arbiter seals it.
struct RegisterModel {
    static constexpr auto kType = messageType(259);
    wire::ModelInfo info;  // the id is not set
    bool hasFile = false;
    bool hasParams = false;
    ParamMap params;
    template <class Archive>
    void fields(Archive& archive) {
        info.fields(archive);
        archive(hasFile);
        archive(hasParams);
        archive(params);
    }
};

struct ModelRegistered {
    static constexpr auto kType = messageType(260);
    uint64_t modelId = 0;
    template <class Archive>
    void fields(Archive& archive) {
        archive(modelId);
    }
};

// Session to arbiter: a model of another session is to be used. Answered by FetchedModel, with its data if it has some,
// or by Failure.
struct FetchModel {
    static constexpr auto kType = messageType(261);
    uint64_t modelId = 0;
    template <class Archive>
    void fields(Archive& archive) {
        archive(modelId);
    }
};

struct FetchedModel {
    static constexpr auto kType = messageType(262);
    wire::ModelInfo info;
    bool hasFile = false;
    bool hasParams = false;
    ParamMap params;
    template <class Archive>
    void fields(Archive& archive) {
        info.fields(archive);
        archive(hasFile);
        archive(hasParams);
        archive(params);
    }
};

// Session to arbiter, no reply: the session has a job for the unit and not its turn. The answer is the turn word.
struct TurnWant {
    static constexpr auto kType = messageType(263);
    uint32_t unit = 0;
    template <class Archive>
    void fields(Archive& archive) {
        archive(unit);
    }
};

// Session to arbiter, no reply: the turn was given back (the word is None).
struct TurnBack {
    static constexpr auto kType = messageType(264);
    uint32_t unit = 0;
    bool wantAgain = false;  // it has more jobs: counts as a TurnWant with a backlog
    template <class Archive>
    void fields(Archive& archive) {
        archive(unit);
        archive(wantAgain);
    }
};

// Session to arbiter: the client asked to disconnect. Answered by Done when the tables no longer have the session.
struct Goodbye {
    static constexpr auto kType = messageType(265);
    template <class Archive>
    void fields(Archive&) {}
};

// Session to arbiter, no reply, only where there is a power controller: the session is about to load a model on the
// unit. The answer is StatusPage::loadPower. One at a time.
struct LoadWant {
    static constexpr auto kType = messageType(270);
    uint32_t unit = 0;
    template <class Archive>
    void fields(Archive& archive) {
        archive(unit);
    }
};

// Session to arbiter, no reply: the load that was granted power has ended, or nobody waits for power any more.
struct LoadEnd {
    static constexpr auto kType = messageType(271);
    template <class Archive>
    void fields(Archive&) {}
};

// Session to arbiter: why was the unit of this listed device refused power? Answered by a Failure with
// LAROD_ERROR_POWER_NOT_AVAILABLE that names the device as its client does.
struct GetRefusal {
    static constexpr auto kType = messageType(272);
    uint32_t device = 0;
    template <class Archive>
    void fields(Archive& archive) {
        archive(device);
    }
};

// Session to arbiter: the node of that unit is to be opened, for a model that is being loaded. Answered by Done with
// the fd, or by Failure; that takes its time.
struct OpenNode {
    static constexpr auto kType = messageType(273);
    uint32_t unit = 0;
    template <class Archive>
    void fields(Archive& archive) {
        archive(unit);
    }
};

// A device node that sessions may have opened.
struct NodePath {
    std::string path;  // empty: the unit has none
    template <class Archive>
    void fields(Archive& archive) {
        archive.text(path, kMaxNodePathLength);
    }
};

// The devices that clients see and the units that run their jobs, as in device::DeviceList.
struct DeviceTable {
    std::vector<wire::DeviceInfo> listed;
    std::vector<wire::DeviceInfo> units;
    std::vector<uint32_t> unitOf;      // by listed device, a place in units
    std::vector<NodePath> nodes = {};  // by unit
    template <class Archive>
    void fields(Archive& archive) {
        archive.list(listed, wire::kMaxDevices);
        archive.list(units, wire::kMaxDevices);
        archive.list(unitOf, wire::kMaxDevices);
        archive.list(nodes, wire::kMaxDevices);
    }
};

// Spawner to arbiter, once: these devices exist, and clients are accepted from now on.
struct Ready {
    static constexpr auto kType = messageType(266);
    DeviceTable table;
    template <class Archive>
    void fields(Archive& archive) {
        table.fields(archive);
    }
};

// Spawner to arbiter, before the fork: a client is there. Three fds: a duplicate of the client's socket, the arbiter's
// end of the session's control socket, the status page.
struct SessionStarted {
    static constexpr auto kType = messageType(267);
    uint64_t session = 0;  // never used again
    uint32_t uid = 0;
    int32_t clientPid = 0;
    template <class Archive>
    void fields(Archive& archive) {
        archive(session);
        archive(uid);
        archive(clientPid);
    }
};

// Spawner to arbiter: the session's process. One fd: its pidfd.
struct SessionForked {
    static constexpr auto kType = messageType(268);
    uint64_t session = 0;
    int32_t pid = 0;
    template <class Archive>
    void fields(Archive& archive) {
        archive(session);
        archive(pid);
    }
};

// Spawner to arbiter: the session's process is gone (or could not be made).
struct SessionEnded {
    static constexpr auto kType = messageType(269);
    uint64_t session = 0;
    int32_t waitStatus = 0;  // of waitpid
    template <class Archive>
    void fields(Archive& archive) {
        archive(session);
        archive(waitStatus);
    }
};

}  // namespace larod::session::control
