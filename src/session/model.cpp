// SPDX-License-Identifier: Apache-2.0
#include "session/model.h"

#include <algorithm>

namespace larod::session {

device::ModelSource modelSource(const ModelData* data, const std::optional<ParamMap>& params) noexcept {
    device::ModelSource source;
    if (data != nullptr) {
        source.file = data->mapping->bytes();
    }
    source.params = params ? &*params : nullptr;
    return source;
}

Model::Model(wire::ModelInfo info, bool own, device::Device& device, std::shared_ptr<const ModelData> data,
             std::optional<ParamMap> params, unsigned threads, std::unique_ptr<device::LoadedModel> first)
    : info_(std::move(info)),
      own_(own),
      device_(device),
      data_(std::move(data)),
      params_(std::move(params)),
      first_(first.get()) {
    instances_.push_back({threads, std::make_shared<ModelInstance>(info_.id, data_, std::move(first))});
}

const std::shared_ptr<ModelInstance>& Model::instance(unsigned threads) {
    if (!device_.usesThreads()) {
        return instances_.front().instance;
    }
    const auto it = std::find_if(instances_.begin(), instances_.end(),
                                 [threads](const Entry& entry) { return entry.threads == threads; });
    if (it != instances_.end()) {
        return it->instance;
    }
    auto loaded = device_.load(modelSource(data_.get(), params_), threads);
    instances_.push_back({threads, std::make_shared<ModelInstance>(info_.id, data_, std::move(loaded))});
    return instances_.back().instance;
}

}  // namespace larod::session
