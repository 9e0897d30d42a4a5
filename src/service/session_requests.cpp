// SPDX-License-Identifier: Apache-2.0
#include "service/session_requests.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"
#include "base/log.h"
#include "base/monotonic_time.h"
#include "buffer/file_identity.h"
#include "service/status_report.h"
#include "wire/codec.h"

namespace larod::service {

namespace control = session::control;

namespace {

// The kernel counts the descriptors that a user has in flight, over all sockets, and nothing tells when there is room.
constexpr uint64_t kRetryNs = 5'000'000;

template <typename Message>
Message decoded(const wire::Datagram& datagram) {
    Message message;
    wire::decode(datagram.bytes(), message);
    return message;
}

}  // namespace

void SessionRequests::handle(SessionRecord& session, wire::Datagram& datagram) {
    const auto header = wire::decodeHeader(datagram.bytes());
    try {
        if (!header) {
            throw Error(LAROD_ERROR_CONNECTION, "a control message has no header");
        }
        dispatch(session, *header, datagram);
    } catch (const Error& error) {
        if (header && header->requestId != 0 && error.code() != LAROD_ERROR_CONNECTION) {
            reply(session, wire::Failure{error.code(), error.text()}, header->requestId);
        } else {
            // Its code is ours: a session that talks nonsense has been taken over.
            tables_.sessions.kill(session, fmt::format("it broke the protocol: {}", error.text()), monotonicNs());
        }
    }
}

void SessionRequests::dispatch(SessionRecord& session, const wire::Header& header, wire::Datagram& datagram) {
    const wire::MessageType type = header.type;
    const uint64_t requestId = header.requestId;
    if (type == control::TurnWant::kType) {
        wantTurn(session, datagram);
    } else if (type == control::TurnBack::kType) {
        takeTurnBack(session, datagram);
    } else if (type == control::ReleaseMemory::kType) {
        releaseMemory(session, datagram);
    } else if (type == control::LoadWant::kType) {
        wantLoad(session, datagram);
    } else if (type == control::LoadEnd::kType) {
        endLoad(session);
    } else if (type == control::GetRefusal::kType) {
        getRefusal(datagram);
    } else if (session.left) {
        throw Error(LAROD_ERROR_KILL_SESSION, "the session has ended");
    } else if (type == control::AllocMemory::kType) {
        allocMemory(session, requestId, datagram);
    } else if (type == control::OpenNode::kType) {
        openNode(session, requestId, datagram);
    } else if (type == control::RegisterModel::kType) {
        registerModel(session, requestId, datagram);
    } else if (type == control::FetchModel::kType) {
        fetchModel(session, requestId, datagram);
    } else if (type == wire::DeleteModel::kType) {
        deleteModel(session, requestId, datagram);
    } else if (type == wire::GetModel::kType) {
        reply(session, wire::Model{tables_.models.find(decoded<wire::GetModel>(datagram).modelId).info}, requestId);
    } else if (type == wire::GetModels::kType) {
        reply(session, tables_.models.page(decoded<wire::GetModels>(datagram).afterId), requestId);
    } else if (type == wire::GetNumSessions::kType) {
        reply(session, wire::NumSessions{tables_.sessions.countPresent()}, requestId);
    } else if (type == wire::GetStatus::kType) {
        getStatus(session, requestId, datagram);
    } else if (type == control::Goodbye::kType) {
        leaveTables(session);
        reply(session, wire::Done{}, requestId);
    } else {
        throw Error(LAROD_ERROR_CONNECTION, "control message {} is unknown", static_cast<uint32_t>(type));
    }
}

template <typename Message>
void SessionRequests::reply(SessionRecord& session, const Message& message, uint64_t requestId,
                            std::span<const int> fds) {
    const auto bytes = wire::encode(message, requestId, {buffer_.get(), wire::kMaxDatagramBytes});
    send(session, bytes, fds);
}

void SessionRequests::send(SessionRecord& session, std::span<const std::byte> bytes, std::span<const int> fds) {
    switch (session.replies.send(bytes, fds, monotonicNs())) {
        case ReplyQueue::Outcome::Sent:
            break;
        case ReplyQueue::Outcome::Kept:
            kept_.insert(session.key);
            retryNs_ = retryNs_.value_or(monotonicNs() + kRetryNs);
            break;
        case ReplyQueue::Outcome::GivenUp:
            tables_.sessions.kill(session, "it asks the service without reading the answers", monotonicNs());
            break;
    }
}

std::optional<uint64_t> SessionRequests::nextDeadline() const {
    const auto opening = nodes_.nextDeadline();
    return retryNs_ && opening ? std::min(*retryNs_, *opening) : (retryNs_ ? retryNs_ : opening);
}

void SessionRequests::sendDue() {
    const uint64_t now = monotonicNs();
    if (retryNs_ && *retryNs_ <= now) {
        sendKept(now);
    }
    while (auto late = nodes_.takeLate(now)) {
        sendNode(*late);
    }
}

void SessionRequests::sendKept(uint64_t nowNs) {
    std::erase_if(kept_, [&](SessionKey key) {
        SessionRecord* session = tables_.sessions.find(key);
        if (session == nullptr || !session->killReason().empty()) {
            return true;
        }
        ReplyQueue::Outcome outcome = ReplyQueue::Outcome::GivenUp;
        try {
            outcome = session->replies.sendKept(nowNs);
        } catch (const Error& error) {
            log::error("session {}: {}", key, error.text());
        }
        if (outcome == ReplyQueue::Outcome::GivenUp) {
            tables_.sessions.kill(*session, "it does not read the answers of the service", monotonicNs());
        }
        return outcome != ReplyQueue::Outcome::Kept;
    });
    retryNs_ = kept_.empty() ? std::nullopt : std::optional(nowNs + kRetryNs);
}

DeviceTurns* SessionRequests::turnsOf(uint32_t unit) noexcept {
    return unit < tables_.turns.size() ? &tables_.turns[unit] : nullptr;
}

void SessionRequests::wantTurn(SessionRecord& session, const wire::Datagram& datagram) {
    DeviceTurns* turns = turnsOf(decoded<control::TurnWant>(datagram).unit);
    if (turns != nullptr && !session.left) {
        turns->want(session.key, monotonicNs());
    }
}

void SessionRequests::takeTurnBack(SessionRecord& session, const wire::Datagram& datagram) {
    const auto back = decoded<control::TurnBack>(datagram);
    if (DeviceTurns* turns = turnsOf(back.unit)) {
        turns->back(session.key, back.wantAgain && !session.left, monotonicNs());
    }
}

void SessionRequests::wantLoad(SessionRecord& session, const wire::Datagram& datagram) {
    const uint32_t unit = decoded<control::LoadWant>(datagram).unit;
    if (tables_.power == nullptr || unit >= tables_.devices.units.size() ||
        !tables_.power->wantLoad(session.key, unit, monotonicNs())) {
        throw Error(LAROD_ERROR_CONNECTION, "power for a load was asked for twice, or for no unit");
    }
}

void SessionRequests::endLoad(SessionRecord& session) {
    if (tables_.power != nullptr) {
        tables_.power->loadEnded(session.key);
    }
}

void SessionRequests::getRefusal(const wire::Datagram& datagram) {
    const uint32_t device = decoded<control::GetRefusal>(datagram).device;
    if (tables_.power == nullptr || device >= tables_.devices.listed.size()) {
        throw Error(LAROD_ERROR_CONNECTION, "nobody was refused power");
    }
    const uint32_t unit = tables_.devices.unitOf[device];
    const std::string& name = tables_.devices.listed[device].name;
    const std::string& reason = tables_.power->refusal(unit);
    throw Error(LAROD_ERROR_POWER_NOT_AVAILABLE, "{}",
                name == tables_.devices.units[unit].name ? reason : fmt::format("{}: {}", name, reason));
}

void SessionRequests::allocMemory(SessionRecord& session, uint64_t requestId, const wire::Datagram& datagram) {
    auto request = decoded<control::AllocMemory>(datagram);
    if (request.dmaBufs) {
        // One after the other: none can make the queue long for those behind it.
        if (session.makesDmaBufs) {
            throw Error(LAROD_ERROR_CONNECTION, "more dma-bufs were to be made before the first ones were");
        }
        std::vector<uint64_t> ids = session.memory.reserve(request.sizes);
        dmaBufs_.start({session.key, requestId, std::move(ids), std::move(request.sizes)});
        session.makesDmaBufs = true;
        return;
    }
    SessionMemory::Allocation allocation = session.memory.allocate(request.sizes);
    std::vector<int> fds;
    for (const UniqueFd& fd : allocation.fds) {
        fds.push_back(fd.get());
    }
    reply(session, control::MemoryAllocated{std::move(allocation.ids)}, requestId, fds);
}

void SessionRequests::sendDmaBufs() {
    const auto result = dmaBufs_.take();
    SessionRecord* session = result ? tables_.sessions.find(result->request.session) : nullptr;
    if (session == nullptr || !session->killReason().empty()) {
        return;
    }
    session->makesDmaBufs = false;
    if (result->error) {
        session->memory.release(result->request.ids);
        reply(*session, wire::Failure{result->error->code(), result->error->text()}, result->request.requestId);
        return;
    }
    std::vector<int> fds;
    for (const UniqueFd& fd : result->fds) {
        fds.push_back(fd.get());
    }
    reply(*session, control::MemoryAllocated{result->request.ids}, result->request.requestId, fds);
}

void SessionRequests::openNode(SessionRecord& session, uint64_t requestId, const wire::Datagram& datagram) {
    const uint32_t unit = decoded<control::OpenNode>(datagram).unit;
    const auto& nodes = tables_.devices.nodes;
    if (unit >= nodes.size() || nodes[unit].path.empty()) {
        throw Error(LAROD_ERROR_CONNECTION, "a unit without a node was to be opened");
    }
    nodes_.start({session.key, requestId, nodes[unit].path}, monotonicNs());
}

void SessionRequests::sendNode() {
    if (auto result = nodes_.take()) {
        sendNode(*result);
    }
}

void SessionRequests::sendNode(NodeOpener::Result& result) {
    SessionRecord* session = tables_.sessions.find(result.request.session);
    const bool answered = session != nullptr && session->killReason().empty();
    if (answered && result.node) {
        const int fd = result.node.get();
        reply(*session, wire::Done{}, result.request.requestId, {&fd, 1});
    } else if (answered) {
        const std::string reason = result.error == ETIMEDOUT ? fmt::format("its driver has not answered within {} ms",
                                                                           kOpenTimeoutNs / 1'000'000)
                                                             : errnoText(result.error);
        const Error error(LAROD_ERROR_LOAD_MODEL, "can't open {}: {}", result.request.path, reason);
        reply(*session, wire::Failure{error.code(), error.text()}, result.request.requestId);
    }
    NodeOpener::close(std::move(result.node));
}

void SessionRequests::releaseMemory(SessionRecord& session, const wire::Datagram& datagram) {
    session.memory.release(decoded<control::ReleaseMemory>(datagram).ids);
}

void SessionRequests::registerModel(SessionRecord& session, uint64_t requestId, wire::Datagram& datagram) {
    auto request = decoded<control::RegisterModel>(datagram);
    if (request.info.device >= tables_.devices.listed.size() || request.hasFile != (datagram.fds.size() == 1)) {
        throw Error(LAROD_ERROR_CONNECTION, "a model was registered with a wrong device or file");
    }
    ModelRecord record;
    record.info = std::move(request.info);
    record.owner = session.accessor();
    record.uid = session.uid;
    record.hasParams = request.hasParams;
    record.params = std::move(request.params);
    if (request.hasFile) {
        // Nobody writes to it any more: neither this session nor those that will load it.
        if (::fcntl(datagram.fds.front().get(), F_ADD_SEALS, F_SEAL_WRITE) != 0) {
            throw Error(LAROD_ERROR_LOAD_MODEL, "can't seal the data of the model: {}", errnoText(errno));
        }
        record.file = session::reopenReadOnly(datagram.fds.front().get());
        record.fileBytes = buffer::fileStatus(record.file.get()).length;
    }
    reply(session, control::ModelRegistered{tables_.models.add(std::move(record))}, requestId);
}

void SessionRequests::fetchModel(SessionRecord& session, uint64_t requestId, const wire::Datagram& datagram) {
    const auto request = decoded<control::FetchModel>(datagram);
    const ModelRecord& record = tables_.models.use(request.modelId, session.accessor());
    const control::FetchedModel answer{record.info, static_cast<bool>(record.file), record.hasParams, record.params};
    const int fd = record.file.get();
    reply(session, answer, requestId, std::span<const int>(&fd, record.file ? 1 : 0));
}

void SessionRequests::deleteModel(SessionRecord& session, uint64_t requestId, const wire::Datagram& datagram) {
    if (tables_.models.remove(decoded<wire::DeleteModel>(datagram).modelId, session.accessor())) {
        tables_.servicePage.modelGeneration.fetch_add(1, std::memory_order_release);
    }
    reply(session, wire::Done{}, requestId);
}

void SessionRequests::getStatus(SessionRecord& session, uint64_t requestId, const wire::Datagram& datagram) {
    const auto request = decoded<wire::GetStatus>(datagram);
    if (!mayReadStatus(session.uid)) {
        throw Error(EACCES, "the status is for root and for user {}, who runs the service; you are user {}",
                    ::geteuid(), session.uid);
    }
    reply(session, statusPage(tables_, request, monotonicNs()), requestId);
}

void SessionRequests::leaveTables(SessionRecord& session) {
    session.left = true;
    const uint64_t now = monotonicNs();
    for (DeviceTurns& turns : tables_.turns) {
        if (turns.holder() != session.key) {
            turns.remove(session.key, now);
        }
    }
    if (tables_.models.removeSession(session.accessor())) {
        tables_.servicePage.modelGeneration.fetch_add(1, std::memory_order_release);
    }
}

}  // namespace larod::service
