// SPDX-License-Identifier: Apache-2.0
// For tests of API versions 1 and 2, included before anything else: both can be seen in one source beside the current
// one, as functions with their exported names, when the macros that rename calls are gone.
#pragma once

#include "larod.h"

#undef larodLoadModel
#undef larodLoadModelAsync
#undef larodDestroyTensors
#undef larodRunJob
#undef larodRunJobAsync
#undef larodDestroyInferenceRequest
#undef larodSetInferenceRequestModel
#undef larodSetInferenceRequestInputs
#undef larodSetInferenceRequestOutputs
#undef larodSetInferenceRequestPriority

#include <string>
#include <utility>
#include <vector>

#include "unit/client/fake_session.h"

namespace larod::client::testing {

// A script's beginning: a service with devices of these names and instance numbers.
inline void welcome(Peer& peer, const std::vector<std::pair<std::string, uint32_t>>& devices) {
    peer.next();
    wire::Welcome message;
    for (const auto& [name, instance] : devices) {
        message.devices.push_back({name, instance});
    }
    peer.send(0, message);
}

}  // namespace larod::client::testing
