// SPDX-License-Identifier: Apache-2.0
#include "session/model_set.h"

#include "base/error.h"

namespace larod::session {

void ModelSet::add(const std::shared_ptr<Model>& model) {
    const std::lock_guard lock(mutex_);
    models_.emplace(model->info().id, model);
}

std::shared_ptr<Model> ModelSet::lookUp(uint64_t modelId) {
    const std::lock_guard lock(mutex_);
    const auto it = models_.find(modelId);
    return it == models_.end() ? nullptr : it->second;
}

std::shared_ptr<Model> ModelSet::find(uint64_t modelId) {
    auto model = lookUp(modelId);
    if (model && !exists(model)) {
        throw Error(LAROD_ERROR_MODEL_NOT_FOUND, "there is no model with id {}; it was deleted", modelId);
    }
    return model;
}

std::shared_ptr<Model> ModelSet::findOrFetch(uint64_t modelId) {
    if (auto model = find(modelId)) {
        return model;
    }
    const uint64_t generation = servicePage_.modelGeneration.load(std::memory_order_acquire);
    auto model = loader_.fetch(modelId);
    model->seenGeneration.store(generation, std::memory_order_relaxed);
    add(model);
    return model;
}

// Only its own session can delete a private model.
bool ModelSet::exists(const std::shared_ptr<Model>& model) {
    const uint64_t generation = servicePage_.modelGeneration.load(std::memory_order_acquire);
    if (model->info().access == LAROD_ACCESS_PRIVATE ||
        model->seenGeneration.load(std::memory_order_relaxed) == generation) {
        return true;
    }
    try {
        [[maybe_unused]] const auto found = arbiter_.call<wire::Model>(wire::GetModel{model->info().id});
    } catch (const Error& error) {
        if (error.code() != LAROD_ERROR_MODEL_NOT_FOUND) {
            throw;
        }
        forget(model->info().id);
        return false;
    }
    model->seenGeneration.store(generation, std::memory_order_relaxed);
    return true;
}

void ModelSet::forget(uint64_t modelId) {
    const auto model = lookUp(modelId);
    if (!model) {
        return;
    }
    model->deleted.store(true, std::memory_order_release);
    {
        const std::lock_guard lock(mutex_);
        models_.erase(modelId);
    }
    unbind_(model);
    if (model->memoryId() != 0) {
        arbiter_.notify(control::ReleaseMemory{{model->memoryId()}});
    }
}

}  // namespace larod::session
