// SPDX-License-Identifier: Apache-2.0
#include "service/model_table.h"

#include <algorithm>

#include "base/error.h"

namespace larod::service {
namespace {

// Pages are kept below this; one model alone always fits (wire/limits.h).
constexpr size_t kPageBytes = 64 * 1024;

size_t roughSize(const wire::ModelInfo& info) {
    size_t size = 64 + info.name.size();
    for (const auto* tensors : {&info.inputs, &info.outputs}) {
        for (const wire::TensorInfo& tensor : *tensors) {
            size += 16 + tensor.spec.name.size() + 8 * (tensor.spec.dims.len + tensor.spec.pitches.len);
        }
    }
    return size;
}

bool mayUse(const ModelRecord& record, Accessor who) noexcept {
    switch (record.info.access) {
        case LAROD_ACCESS_PUBLIC:
            return true;
        case LAROD_ACCESS_USER_PROTECTED:
            return record.uid == who.uid;
        default:
            return record.owner && record.owner->session == who.session;
    }
}

}  // namespace

uint64_t ModelTable::add(ModelRecord record) {
    const auto own = std::count_if(models_.begin(), models_.end(), [&record](const auto& entry) {
        return entry.second.owner && record.owner && entry.second.owner->session == record.owner->session;
    });
    if (static_cast<size_t>(own) >= kMaxModelsPerSession) {
        throw Error(LAROD_ERROR_LOAD_MODEL, "a session can load {} models; delete some with larodDeleteModel",
                    kMaxModelsPerSession);
    }
    size_t ofUser = 0;
    uint64_t bytesOfUser = 0;
    for (const auto& [id, other] : models_) {
        if (other.uid == record.uid) {
            ++ofUser;
            bytesOfUser += other.fileBytes;
        }
    }
    if (ofUser >= kMaxModelsPerUser) {
        throw Error(LAROD_ERROR_LOAD_MODEL, "a user can load {} models; delete some with larodDeleteModel",
                    kMaxModelsPerUser);
    }
    if (record.fileBytes > maxFileBytes_ - std::min(bytesOfUser, maxFileBytes_)) {
        throw Error(LAROD_ERROR_ALLOC,
                    "the files of one user's public models can have {} bytes together; {} are in use, {} are needed",
                    maxFileBytes_, bytesOfUser, record.fileBytes);
    }
    if (models_.size() >= kMaxModels) {
        throw Error(LAROD_ERROR_LOAD_MODEL, "the service can hold {} models; delete some with larodDeleteModel",
                    kMaxModels);
    }
    record.info.id = ++lastId_;
    models_.emplace(lastId_, std::move(record));
    return lastId_;
}

const ModelRecord& ModelTable::find(uint64_t modelId) const {
    const auto it = models_.find(modelId);
    if (it == models_.end()) {
        throw Error(LAROD_ERROR_MODEL_NOT_FOUND, "there is no model with id {}; it may have been deleted", modelId);
    }
    return it->second;
}

const ModelRecord& ModelTable::findUsable(uint64_t modelId, Accessor who) const {
    const ModelRecord& record = find(modelId);
    if (!mayUse(record, who)) {
        throw Error(LAROD_ERROR_PERMISSION, "model {} is private to another session", modelId);
    }
    return record;
}

bool ModelTable::remove(uint64_t modelId, Accessor who) {
    const bool shared = findUsable(modelId, who).info.access != LAROD_ACCESS_PRIVATE;
    models_.erase(modelId);
    return shared;
}

wire::Models ModelTable::page(uint64_t afterId) const {
    wire::Models page;
    size_t size = 0;
    for (auto it = models_.upper_bound(afterId); it != models_.end(); ++it) {
        size += roughSize(it->second.info);
        if (!page.models.empty() && (size > kPageBytes || page.models.size() == 1024)) {
            page.more = true;
            break;
        }
        page.models.push_back(it->second.info);
    }
    return page;
}

bool ModelTable::removeSession(Accessor who, bool sameUserLeft) {
    bool sharedWent = false;
    for (auto it = models_.begin(); it != models_.end();) {
        ModelRecord& record = it->second;
        const bool own = record.owner && record.owner->session == who.session;
        if (own) {
            record.owner.reset();
        }
        const larodAccess access = record.info.access;
        const bool ends = access == LAROD_ACCESS_USER_PROTECTED ? record.uid == who.uid && !sameUserLeft
                                                                : own && access != LAROD_ACCESS_PUBLIC;
        sharedWent = sharedWent || (ends && access != LAROD_ACCESS_PRIVATE);
        it = ends ? models_.erase(it) : std::next(it);
    }
    return sharedWent;
}

}  // namespace larod::service
