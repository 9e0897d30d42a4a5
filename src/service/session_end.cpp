// SPDX-License-Identifier: Apache-2.0
#include "service/session_end.h"

#include "base/error.h"

namespace larod::service {

SessionEnd describeEnd(const SessionRecord& session, int waitStatus, const session::control::DeviceTable& table,
                       const ModelTable& models) {
    SessionEnd end;
    end.waitStatus = waitStatus;
    end.reason = session.killReason();
    const uint64_t loadingOn = session.page->loadingOn.load(std::memory_order_relaxed);
    if (loadingOn > 0 && loadingOn <= table.listed.size()) {
        end.activity = Activity::Loading;
        end.device = table.listed[loadingOn - 1].name;
    }
    for (size_t unit = 0; unit < table.units.size(); ++unit) {
        const uint64_t model = session.page->turns[unit].runningModel.load(std::memory_order_relaxed);
        if (model == 0) {
            continue;
        }
        end.activity = Activity::Running;
        end.device = table.units[unit].name;
        try {
            const wire::ModelInfo& info = models.findUsable(model, session.accessor()).info;
            end.model = info.name;
            if (table.unitOf[info.device] == unit) {
                end.device = table.listed[info.device].name;  // the name that the client used
            }
        } catch (const Error&) {
            // The session says nonsense, or the model was deleted while it ran.
        }
    }
    return end;
}

}  // namespace larod::service
