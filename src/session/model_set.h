// SPDX-License-Identifier: Apache-2.0
// The models that a session has: its own, and those of others that it has used.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "session/arbiter_link.h"
#include "session/loader.h"
#include "session/model.h"
#include "session/status_page.h"

namespace larod::session {

// Thread: any.
class ModelSet {
  public:
    // `unbind`: has everything forgotten that was made for a model which is gone. All outlive the set.
    ModelSet(Loader& loader, ArbiterLink& arbiter, const ServicePage& servicePage,
             std::function<void(const std::shared_ptr<Model>&)> unbind)
        : loader_(loader), arbiter_(arbiter), servicePage_(servicePage), unbind_(std::move(unbind)) {}

    void add(const std::shared_ptr<Model>& model);

    // nullptr where this session has no such model. Throws Error(LAROD_ERROR_MODEL_NOT_FOUND) where it was deleted.
    [[nodiscard]] std::shared_ptr<Model> find(uint64_t modelId);

    // The same, and where this session has not got it, loads it from the arbiter's copy; that takes long. Throws Error.
    [[nodiscard]] std::shared_ptr<Model> findOrFetch(uint64_t modelId);

    // Whether nobody has deleted it: a deletion holds from the moment that it succeeds, in every session (processes.md
    // 6). One load where nothing was deleted.
    [[nodiscard]] bool exists(const std::shared_ptr<Model>& model);

    // The model was deleted; nothing where this session has none of that id.
    void forget(uint64_t modelId);

  private:
    [[nodiscard]] std::shared_ptr<Model> lookUp(uint64_t modelId);

    Loader& loader_;
    ArbiterLink& arbiter_;
    const ServicePage& servicePage_;
    const std::function<void(const std::shared_ptr<Model>&)> unbind_;

    std::mutex mutex_;  // guards models_
    std::map<uint64_t, std::shared_ptr<Model>> models_;
};

}  // namespace larod::session
