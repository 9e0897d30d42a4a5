// SPDX-License-Identifier: Apache-2.0
// What a session may ask of the arbiter: memory, models, turns, and what there is to know of the others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "service/device_turns.h"
#include "service/dma_buf_worker.h"
#include "service/model_table.h"
#include "service/node_opener.h"
#include "service/power_control.h"
#include "service/session_table.h"
#include "session/control_messages.h"
#include "session/status_page.h"
#include "wire/channel.h"
#include "wire/limits.h"

namespace larod::service {

// Everything that sessions share, in the arbiter's hands. Refers to what the arbiter owns.
struct SharedTables {
    SessionTable& sessions;
    ModelTable& models;
    std::vector<DeviceTurns>& turns;  // by unit
    const session::control::DeviceTable& devices;
    const std::unique_ptr<PowerControl>& power;  // nullptr: there is no power controller
    session::ServicePage& servicePage;
    uint64_t startedNs;  // the service
};

// Thread: the arbiter's.
class SessionRequests {
  public:
    SessionRequests(SharedTables tables, buffer::DmaBufAllocator dmaBufs)
        : tables_(tables), dmaBufs_(std::move(dmaBufs)) {}

    // Does what the message asks for and answers it. A session that breaks the protocol is killed.
    void handle(SessionRecord& session, wire::Datagram& datagram);

    // Readable when dma-bufs are there that sessions wait for: then call sendDmaBufs().
    [[nodiscard]] int dmaBufFd() const noexcept { return dmaBufs_.fd(); }
    void sendDmaBufs();

    // As the two above, for device nodes.
    [[nodiscard]] int nodeFd() const noexcept { return nodes_.fd(); }
    void sendNode();

    // Tries again to send the answers that had no room, and tells those whose node does not open.
    void sendDue();
    // When to call sendDue(), if ever.
    [[nodiscard]] std::optional<uint64_t> nextDeadline() const;

    // Other sessions no longer see it. A device that it still runs a job on is free when the job has ended.
    void leaveTables(SessionRecord& session);

  private:
    void dispatch(SessionRecord& session, const wire::Header& header, wire::Datagram& datagram);
    void wantTurn(SessionRecord& session, const wire::Datagram& datagram);
    void takeTurnBack(SessionRecord& session, const wire::Datagram& datagram);
    void wantLoad(SessionRecord& session, const wire::Datagram& datagram);
    void endLoad(SessionRecord& session);
    void getRefusal(const wire::Datagram& datagram);
    void allocMemory(SessionRecord& session, uint64_t requestId, const wire::Datagram& datagram);
    void openNode(SessionRecord& session, uint64_t requestId, const wire::Datagram& datagram);
    void sendNode(NodeOpener::Result& result);
    void sendKept(uint64_t nowNs);
    void releaseMemory(SessionRecord& session, const wire::Datagram& datagram);
    void registerModel(SessionRecord& session, uint64_t requestId, wire::Datagram& datagram);
    void fetchModel(SessionRecord& session, uint64_t requestId, const wire::Datagram& datagram);
    void getStatus(SessionRecord& session, uint64_t requestId, const wire::Datagram& datagram);
    void deleteModel(SessionRecord& session, uint64_t requestId, const wire::Datagram& datagram);
    [[nodiscard]] DeviceTurns* turnsOf(uint32_t unit) noexcept;

    void send(SessionRecord& session, std::span<const std::byte> bytes, std::span<const int> fds);
    template <typename Message>
    void reply(SessionRecord& session, const Message& message, uint64_t requestId, std::span<const int> fds = {});

    const SharedTables tables_;
    DmaBufWorker dmaBufs_;
    NodeOpener nodes_;
    std::set<SessionKey> kept_;  // sessions with answers that had no room
    std::optional<uint64_t> retryNs_;
    std::unique_ptr<std::byte[]> buffer_ = std::make_unique_for_overwrite<std::byte[]>(wire::kMaxDatagramBytes);
};

}  // namespace larod::service
