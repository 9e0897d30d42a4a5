// SPDX-License-Identifier: Apache-2.0
#include "service/model_table.h"

#include <algorithm>

#include "base/error.h"

namespace larod::service {
namespace {

// Pages are kept below this; one model alone always fits (wire/limits.h).
constexpr size_t kModelPageBytes = 64 * 1024;

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
    if (record.owner && !ofSession_.fitsHolder(record.owner->session)) {
        throw Error(LAROD_ERROR_LOAD_MODEL, "a session can load {} models; delete some with larodDeleteModel",
                    kMaxModelsPerSession);
    }
    if (!ofUser_.fitsHolder(record.uid)) {
        throw Error(LAROD_ERROR_LOAD_MODEL, "a user can load {} models; delete some with larodDeleteModel",
                    kMaxModelsPerUser);
    }
    if (!fileBytes_.fitsHolder(record.uid, record.fileBytes)) {
        throw Error(LAROD_ERROR_ALLOC,
                    "the files of one user's public models can have {} bytes together; {} are in use, {} are needed",
                    fileBytes_.perHolder(), fileBytes_.of(record.uid), record.fileBytes);
    }
    if (!ofUser_.fitsAll()) {
        throw Error(LAROD_ERROR_LOAD_MODEL, "the service can hold {} models; delete some with larodDeleteModel",
                    kMaxModels);
    }
    if (record.owner) {
        ofSession_.add(record.owner->session);
        record.users.insert(record.owner->session);
    }
    ofUser_.add(record.uid);
    fileBytes_.add(record.uid, record.fileBytes);
    record.info.id = ++lastId_;
    models_.emplace(lastId_, std::move(record));
    return lastId_;
}

std::map<uint64_t, ModelRecord>::iterator ModelTable::erase(std::map<uint64_t, ModelRecord>::iterator it) {
    const ModelRecord& record = it->second;
    if (record.owner) {
        ofSession_.remove(record.owner->session);
    }
    ofUser_.remove(record.uid);
    fileBytes_.remove(record.uid, record.fileBytes);
    return models_.erase(it);
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

const ModelRecord& ModelTable::use(uint64_t modelId, Accessor who) {
    static_cast<void>(findUsable(modelId, who));
    ModelRecord& record = models_.find(modelId)->second;
    record.users.insert(who.session);
    return record;
}

bool ModelTable::remove(uint64_t modelId, Accessor who) {
    const bool shared = findUsable(modelId, who).info.access != LAROD_ACCESS_PRIVATE;
    erase(models_.find(modelId));
    return shared;
}

wire::Models ModelTable::page(uint64_t afterId) const {
    wire::Models page;
    size_t size = 0;
    for (auto it = models_.upper_bound(afterId); it != models_.end(); ++it) {
        size += roughSize(it->second.info);
        if (!page.models.empty() && (size > kModelPageBytes || page.models.size() == 1024)) {
            page.more = true;
            break;
        }
        page.models.push_back(it->second.info);
    }
    return page;
}

void ModelTable::forEachAfter(uint64_t afterId, const std::function<bool(const ModelRecord&)>& act) const {
    for (auto it = models_.upper_bound(afterId); it != models_.end() && act(it->second); ++it) {
    }
}

bool ModelTable::removeSession(Accessor who) {
    bool sharedWent = false;
    for (auto it = models_.begin(); it != models_.end();) {
        ModelRecord& record = it->second;
        const larodAccess access = record.info.access;
        const bool own = record.owner && record.owner->session == who.session;
        const bool used = record.users.erase(who.session) != 0;
        const bool ends =
            access == LAROD_ACCESS_USER_PROTECTED ? used && record.users.empty() : own && access != LAROD_ACCESS_PUBLIC;
        if (ends) {
            sharedWent = sharedWent || access != LAROD_ACCESS_PRIVATE;
            it = erase(it);
            continue;
        }
        if (own) {
            ofSession_.remove(who.session);
            record.owner.reset();
        }
        ++it;
    }
    return sharedWent;
}

}  // namespace larod::service
