// SPDX-License-Identifier: Apache-2.0
// A TurnPort that writes down what it is told, with turn words that a test sets.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "service/device_turns.h"

namespace larod::service::test {

inline constexpr uint64_t kMs = 1'000'000;  // in ns

class RecordingPort final : public TurnPort {
  public:
    void grant(SessionKey session, uint64_t sliceEndNs) override {
        calls_.push_back(fmt::format("grant {}", session));
        sliceEnds.push_back(sliceEndNs);
    }
    void endSlice(SessionKey session) override { calls_.push_back(fmt::format("end slice {}", session)); }
    Reclaim reclaim(SessionKey session, uint64_t /*nowNs*/) override {
        calls_.push_back(fmt::format("reclaim {}", session));
        const auto it = words.find(session);
        return it == words.end() ? Reclaim::Busy : it->second;
    }
    void kill(SessionKey session) override { calls_.push_back(fmt::format("kill {}", session)); }

    [[nodiscard]] bool takePower(uint64_t /*nowNs*/) override {
        if (!hasPower) {
            calls_.emplace_back("no power");
        }
        return hasPower;
    }
    void returnPower() override { ++powerReturns; }
    void refuse(SessionKey session) override { calls_.push_back(fmt::format("refuse {}", session)); }

    // What happened since the last call.
    std::vector<std::string> calls() { return std::exchange(calls_, {}); }

    bool hasPower = true;
    int powerReturns = 0;
    std::map<SessionKey, Reclaim> words;  // what reclaim() finds; Busy where nothing is said
    std::vector<uint64_t> sliceEnds;      // of all grants

  private:
    std::vector<std::string> calls_;
};

}  // namespace larod::service::test
