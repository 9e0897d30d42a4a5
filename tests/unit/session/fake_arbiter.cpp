// SPDX-License-Identifier: Apache-2.0
#include "unit/session/fake_arbiter.h"

#include <fcntl.h>
#include <chrono>

#include "buffer/memfd.h"
#include "session/futex.h"
#include "wire/codec.h"

namespace larod::session::test {

FakeArbiter::FakeArbiter(UniqueFd socket, StatusPage& page)
    : channel_(std::move(socket)), page_(page), thread_([this] { serve(); }) {}

FakeArbiter::~FakeArbiter() {
    channel_.shutdown();
    thread_.join();
}

void FakeArbiter::keepTurns() {
    const std::lock_guard lock(mutex_);
    grants_ = false;
}

void FakeArbiter::grant(uint32_t unit) {
    const std::lock_guard lock(mutex_);
    grantLocked(unit);
}

void FakeArbiter::grantLocked(uint32_t unit) {
    std::atomic<uint32_t>& word = page_.turns[unit].word;
    if (turnPhase(word.load()) != kTurnNone) {
        return;
    }
    tell(word, kTurnGrantUnit, powerRefusal_.empty() ? kTurnIdle : kTurnRefused);
}

// Counts the answer, so that the word differs from what the session sleeps on.
void FakeArbiter::tell(std::atomic<uint32_t>& word, uint32_t count, uint32_t phase) {
    word.store((word.load() & ~(count - 1)) + count + phase);
    wake(word);
}

bool FakeArbiter::takeTurn(uint32_t unit) {
    const std::lock_guard lock(mutex_);
    std::atomic<uint32_t>& word = page_.turns[unit].word;
    uint32_t seen = word.load();
    while (turnPhase(seen) == kTurnIdle) {
        if (word.compare_exchange_weak(seen, withTurnPhase(seen, kTurnNone))) {
            return true;
        }
    }
    return turnPhase(seen) == kTurnNone;
}

void FakeArbiter::refusePower(std::string reason) {
    const std::lock_guard lock(mutex_);
    powerRefusal_ = std::move(reason);
}

void FakeArbiter::keepPower() {
    const std::lock_guard lock(mutex_);
    answersLoads_ = false;
}

void FakeArbiter::givePower() {
    const std::lock_guard lock(mutex_);
    powerRefusal_.clear();
}

void FakeArbiter::addModel(control::FetchedModel model) {
    const std::lock_guard lock(mutex_);
    models_[model.info.id] = std::move(model);
}

void FakeArbiter::removeModel(uint64_t modelId) {
    const std::lock_guard lock(mutex_);
    models_.erase(modelId);
}

void FakeArbiter::refuse(wire::MessageType type, Error error) {
    const std::lock_guard lock(mutex_);
    refused_.insert_or_assign(type, std::move(error));
}

bool FakeArbiter::waitFor(wire::MessageType type, size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::minutes(1), [&] { return counts_[type] >= count; });
}

size_t FakeArbiter::count(wire::MessageType type) {
    const std::lock_guard lock(mutex_);
    return counts_[type];
}

void FakeArbiter::refuseDmaBufs(Error error) {
    const std::lock_guard lock(mutex_);
    dmaBufRefusal_ = std::move(error);
}

size_t FakeArbiter::dmaBufsMade() {
    const std::lock_guard lock(mutex_);
    return dmaBufsMade_;
}

size_t FakeArbiter::memoryHeld() {
    const std::lock_guard lock(mutex_);
    return memory_.size();
}

void FakeArbiter::serve() {
    while (channel_.receive(datagram_, wire::Wait::Yes) == wire::Received::Message) {
        const auto header = wire::decodeHeader(datagram_.bytes());
        const std::lock_guard lock(mutex_);
        if (!header) {
            continue;
        }
        try {
            const auto refused = refused_.find(header->type);
            if (refused != refused_.end()) {
                throw Error(refused->second);
            }
            answer(*header);
        } catch (const Error& error) {
            reply(wire::Failure{error.code(), error.text()}, header->requestId);
        }
        ++counts_[header->type];
        changed_.notify_all();
    }
}

template <typename Message>
Message FakeArbiter::decode() {
    Message message;
    wire::decode(datagram_.bytes(), message);
    return message;
}

template <typename Message>
void FakeArbiter::reply(const Message& message, uint64_t requestId, std::span<const int> fds) {
    static_cast<void>(channel_.send(wire::encode(message, requestId, {buffer_.get(), wire::kMaxDatagramBytes}), fds,
                                    wire::Wait::Yes));
}

void FakeArbiter::answer(const wire::Header& header) {
    const uint64_t id = header.requestId;
    if (header.type == control::TurnWant::kType) {
        if (grants_) {
            grantLocked(decode<control::TurnWant>().unit);
        }
    } else if (header.type == control::TurnBack::kType) {
        const auto back = decode<control::TurnBack>();
        if (grants_ && back.wantAgain) {
            grantLocked(back.unit);
        }
    } else if (header.type == control::LoadWant::kType) {
        if (answersLoads_) {
            tell(page_.loadPower, kLoadAnswerUnit, powerRefusal_.empty() ? kLoadGranted : kLoadRefused);
        }
    } else if (header.type == control::GetRefusal::kType) {
        throw Error(LAROD_ERROR_POWER_NOT_AVAILABLE, "device {}: {}", decode<control::GetRefusal>().device,
                    powerRefusal_);
    } else if (header.type == control::LoadEnd::kType) {
        // Has no reply.
    } else if (header.type == control::AllocMemory::kType) {
        const auto request = decode<control::AllocMemory>();
        if (request.dmaBufs && dmaBufRefusal_) {
            throw Error(*dmaBufRefusal_);
        }
        control::MemoryAllocated allocated;
        std::vector<UniqueFd> owned;
        std::vector<int> fds;
        for (const uint64_t size : request.sizes) {
            dmaBufsMade_ += request.dmaBufs ? 1 : 0;
            owned.push_back(buffer::makeSealedMemfd("test", size));
            fds.push_back(owned.back().get());
            allocated.ids.push_back(++lastMemoryId_);
            memory_.insert(lastMemoryId_);
        }
        reply(allocated, id, fds);
    } else if (header.type == control::OpenNode::kType) {
        const UniqueFd node = buffer::makeSealedMemfd("node", 1000 + decode<control::OpenNode>().unit);
        const int fd = node.get();
        reply(wire::Done{}, id, {&fd, 1});
    } else if (header.type == control::ReleaseMemory::kType) {
        for (const uint64_t released : decode<control::ReleaseMemory>().ids) {
            memory_.erase(released);
        }
    } else if (header.type == control::RegisterModel::kType) {
        const auto model = decode<control::RegisterModel>();
        if (model.hasFile &&
            (datagram_.fds.size() != 1 || ::fcntl(datagram_.fds.front().get(), F_ADD_SEALS, F_SEAL_WRITE) != 0)) {
            throw Error(LAROD_ERROR_LOAD_MODEL, "can't seal the model");
        }
        reply(control::ModelRegistered{++lastModelId_}, id);
    } else if (header.type == control::FetchModel::kType || header.type == wire::GetModel::kType) {
        const bool fetch = header.type == control::FetchModel::kType;
        const uint64_t modelId = fetch ? decode<control::FetchModel>().modelId : decode<wire::GetModel>().modelId;
        const auto it = models_.find(modelId);
        if (it == models_.end()) {
            throw Error(LAROD_ERROR_MODEL_NOT_FOUND, "there is no model with id {}", modelId);
        }
        if (fetch) {
            reply(it->second, id);
        } else {
            reply(wire::Model{it->second.info}, id);
        }
    } else if (header.type == wire::GetNumSessions::kType) {
        reply(wire::NumSessions{1}, id);
    } else if (header.type == wire::GetModels::kType) {
        reply(wire::Models{}, id);
    } else {
        reply(wire::Done{}, id);  // DeleteModel, Goodbye
    }
}

}  // namespace larod::session::test
