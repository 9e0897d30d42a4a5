// SPDX-License-Identifier: Apache-2.0
#include "service/session_end.h"

#include "base/error.h"

namespace larod::service {

SessionEnd describeEnd(const SessionRecord& session, int waitStatus, const std::vector<wire::DeviceInfo>& devices,
                       const ModelTable& models) {
    SessionEnd end;
    end.waitStatus = waitStatus;
    end.reason = session.killReason();
    const uint64_t loadingOn = session.page->loadingOn.load(std::memory_order_relaxed);
    if (loadingOn > 0 && loadingOn <= devices.size()) {
        end.activity = Activity::Loading;
        end.device = devices[loadingOn - 1].name;
    }
    for (size_t device = 0; device < devices.size(); ++device) {
        const uint64_t model = session.page->turns[device].runningModel.load(std::memory_order_relaxed);
        if (model == 0) {
            continue;
        }
        end.activity = Activity::Running;
        end.device = devices[device].name;
        try {
            end.model = models.findUsable(model, session.accessor()).info.name;
        } catch (const Error&) {
            // The session says nonsense, or the model was deleted while it ran.
        }
    }
    return end;
}

}  // namespace larod::service
