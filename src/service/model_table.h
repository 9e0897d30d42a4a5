// SPDX-License-Identifier: Apache-2.0
// Every model that is loaded in any session, with what the arbiter needs to know of it. Pure but for the fds that it
// owns.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>

#include "base/param_map.h"
#include "base/unique_fd.h"
#include "service/device_turns.h"
#include "service/quota.h"
#include "wire/messages.h"

namespace larod::service {

// More than any use needs; a session that loads without end stops here.
inline constexpr size_t kMaxModelsPerSession = 1024;

// Models of one user in all sessions, those included whose session is gone: no user locks out the others.
inline constexpr size_t kMaxModelsPerUser = 4096;

// Models of all sessions together, of which each may hold a descriptor of the arbiter.
inline constexpr size_t kMaxModels = 16'384;

// What a session is to the rules of access (behaviour.md 3.1).
struct Accessor {
    SessionKey session = 0;
    uint32_t uid = 0;
};

struct ModelRecord {
    wire::ModelInfo info;
    std::optional<Accessor> owner;  // nothing: its session has ended (public models)
    uint32_t uid = 0;               // of whoever loaded it
    std::set<SessionKey> users;     // sessions that loaded or fetched it and have not ended
    UniqueFd file;                  // sealed data, where others may use it
    uint64_t fileBytes = 0;
    bool hasParams = false;
    ParamMap params;
};

// Thread: the arbiter's. Errors are thrown as larod::Error with the codes of api.md 2.1.
class ModelTable {
  public:
    // `maxFileBytes`: what the files of one user's models can have together, since they outlive its sessions.
    explicit ModelTable(uint64_t maxFileBytes = UINT64_MAX) : fileBytes_(maxFileBytes, UINT64_MAX) {}

    // Gives the model its id: unique in the service's whole run, from 1.
    uint64_t add(ModelRecord record);

    [[nodiscard]] const ModelRecord& find(uint64_t modelId) const;                      // MODEL_NOT_FOUND
    [[nodiscard]] const ModelRecord& findUsable(uint64_t modelId, Accessor who) const;  // ... or PERMISSION
    // As findUsable(); from now on the session is one of those that use it.
    const ModelRecord& use(uint64_t modelId, Accessor who);
    // Whether other sessions could use it.
    bool remove(uint64_t modelId, Accessor who);  // ... or PERMISSION

    // Models after `afterId`, in the order of their ids, as many as fit into one datagram.
    [[nodiscard]] wire::Models page(uint64_t afterId) const;

    // The session is gone: so are the models that live no longer than it (behaviour.md 3.2).
    // Whether models went that other sessions could use.
    bool removeSession(Accessor who);

    // In the order of their ids, from the first greater than `afterId`, until `act` returns false.
    void forEachAfter(uint64_t afterId, const std::function<bool(const ModelRecord&)>& act) const;

    [[nodiscard]] size_t size() const noexcept { return models_.size(); }

  private:
    std::map<uint64_t, ModelRecord>::iterator erase(std::map<uint64_t, ModelRecord>::iterator it);

    Quota ofSession_{kMaxModelsPerSession, UINT64_MAX};  // models of sessions that have not ended
    Quota ofUser_{kMaxModelsPerUser, kMaxModels};
    Quota fileBytes_;  // of users
    std::map<uint64_t, ModelRecord> models_;
    uint64_t lastId_ = 0;
};

}  // namespace larod::service
