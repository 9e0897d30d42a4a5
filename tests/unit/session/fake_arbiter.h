// SPDX-License-Identifier: Apache-2.0
// The other end of a session's control socket, as the service would answer, but as a test wants it.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <vector>

#include "base/error.h"
#include "session/control_messages.h"
#include "session/status_page.h"
#include "wire/channel.h"

namespace larod::session::test {

// Answers in a thread of its own. Thread: any.
class FakeArbiter {
  public:
    FakeArbiter(UniqueFd socket, StatusPage& page);
    ~FakeArbiter();
    FakeArbiter(const FakeArbiter&) = delete;
    FakeArbiter& operator=(const FakeArbiter&) = delete;

    // Every TurnWant is answered by a grant, unless this says otherwise.
    void keepTurns();
    void grant(uint32_t unit);
    // Another session wants the turn. Whether it could be had: the session ran no job.
    [[nodiscard]] bool takeTurn(uint32_t unit);

    // From now on nobody gets power, for this reason.
    void refusePower(std::string reason);
    void givePower();
    // From now on a load gets no answer.
    void keepPower();

    // A model that another session has loaded.
    void addModel(control::FetchedModel model);
    void removeModel(uint64_t modelId);

    // Every further request of this kind fails so.
    void refuse(wire::MessageType type, Error error);

    // Waits until so many messages of this kind have come. False where they don't in a time that no machine needs.
    [[nodiscard]] bool waitFor(wire::MessageType type, size_t count);
    [[nodiscard]] size_t count(wire::MessageType type);
    // From now on dma-bufs are refused so; they are memory files here.
    void refuseDmaBufs(Error error);
    [[nodiscard]] size_t dmaBufsMade();

    // Memory that was given out and not released.
    [[nodiscard]] size_t memoryHeld();

    void shutdown() { channel_.shutdown(); }

  private:
    void serve();
    void answer(const wire::Header& header);
    template <typename Message>
    Message decode();
    template <typename Message>
    void reply(const Message& message, uint64_t requestId, std::span<const int> fds = {});
    void grantLocked(uint32_t unit);
    static void tell(std::atomic<uint32_t>& word, uint32_t count, uint32_t phase);

    wire::Channel channel_;
    StatusPage& page_;
    wire::Datagram datagram_;
    std::unique_ptr<std::byte[]> buffer_ = std::make_unique<std::byte[]>(wire::kMaxDatagramBytes);

    std::mutex mutex_;  // guards what follows
    std::condition_variable changed_;
    bool grants_ = true;
    bool answersLoads_ = true;
    std::string powerRefusal_;  // empty: there is power
    std::map<uint64_t, control::FetchedModel> models_;
    std::map<wire::MessageType, Error> refused_;
    std::map<wire::MessageType, size_t> counts_;
    std::set<uint64_t> memory_;
    std::optional<Error> dmaBufRefusal_;
    size_t dmaBufsMade_ = 0;
    uint64_t lastMemoryId_ = 0;
    uint64_t lastModelId_ = 0;

    std::thread thread_;  // last
};

}  // namespace larod::session::test
