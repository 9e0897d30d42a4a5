// SPDX-License-Identifier: Apache-2.0
// Loads models into a session: its client's own, and those of others that its client may use.
#pragma once

#include <memory>
#include <optional>

#include "device/device_list.h"
#include "session/arbiter_link.h"
#include "session/load_power.h"
#include "session/model.h"
#include "session/status_page.h"

namespace larod::session {

inline constexpr uint64_t kMaxModelBytes = uint64_t{1} << 30;

// Thread: one call at a time.
class Loader {
  public:
    // `threads`: what a network model is loaded for first; later turns may allow another number.
    Loader(const device::DeviceList& devices, StatusPage& page, ArbiterLink& arbiter, unsigned threads,
           bool powerControlled)
        : devices_(devices),
          page_(page),
          arbiter_(arbiter),
          power_(page, arbiter, powerControlled),
          threads_(threads) {}

    // `file` is the client's fd, or nothing. Throws Error.
    [[nodiscard]] std::shared_ptr<Model> load(const wire::LoadModel& request, UniqueFd file);

    // A model of another session, as the arbiter keeps it. Throws Error(LAROD_ERROR_MODEL_NOT_FOUND or
    // LAROD_ERROR_PERMISSION), or what loading throws.
    [[nodiscard]] std::shared_ptr<Model> fetch(uint64_t modelId);

    // The session ends: no load waits for power any more. Any thread.
    void stop() noexcept { power_.stop(); }

  private:
    [[nodiscard]] std::shared_ptr<const ModelData> copyFile(int fd);
    [[nodiscard]] UniqueFd openNode(uint32_t unit);
    [[nodiscard]] std::unique_ptr<device::LoadedModel> loadOn(uint32_t device, const ModelData* data,
                                                              const std::optional<ParamMap>& params);

    const device::DeviceList& devices_;
    StatusPage& page_;
    ArbiterLink& arbiter_;
    LoadPower::Source power_;
    const unsigned threads_;
};

}  // namespace larod::session
