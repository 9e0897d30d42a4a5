// SPDX-License-Identifier: Apache-2.0
// When each measured round began and ended.
#include "larod-client/round_recorder.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "larod-client/tool_error.h"

namespace larod::tools {

std::vector<double> sortedLatenciesMs(std::span<const std::span<const Round>> clients) {
    std::vector<double> latencies;
    for (const std::span<const Round> rounds : clients) {
        for (const Round& round : rounds) {
            latencies.push_back(round.latencyMs());
        }
    }
    std::sort(latencies.begin(), latencies.end());
    return latencies;
}

void writeSamples(const std::string& fileName, std::span<const std::span<const Round>> clients,
                  const std::string& beginName) {
    Clock::time_point first = Clock::time_point::max();
    for (const std::span<const Round> rounds : clients) {
        for (const Round& round : rounds) {
            first = std::min(first, round.begin);
        }
    }
    const auto sinceFirst = [first](Clock::time_point time) {
        return std::chrono::duration<double, std::milli>(time - first).count();
    };
    std::ofstream file(fileName, std::ios::binary | std::ios::trunc);
    file << fmt::format("client,round,{},end_ms,latency_ms\n", beginName);
    for (size_t client = 0; client < clients.size(); ++client) {
        std::vector<Round> rounds(clients[client].begin(), clients[client].end());
        std::stable_sort(rounds.begin(), rounds.end(),
                         [](const Round& a, const Round& b) { return a.begin < b.begin; });
        for (size_t index = 0; index < rounds.size(); ++index) {
            const Round& round = rounds[index];
            file << fmt::format("{},{},{:.4f},{:.4f},{:.4f}\n", client + 1, index + 1, sinceFirst(round.begin),
                                sinceFirst(round.end), round.latencyMs());
        }
    }
    file.close();
    if (!file) {
        throw errnoError(fmt::format("Could not write '{}'", fileName));
    }
}

}  // namespace larod::tools
