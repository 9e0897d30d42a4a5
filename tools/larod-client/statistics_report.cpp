// SPDX-License-Identifier: Apache-2.0
// What was measured, for people and for scripts.
#include "larod-client/statistics_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <nlohmann/json.hpp>
#include <numeric>

#include "larod-client/latency_statistics.h"
#include "larod-client/text_table.h"

namespace larod::tools {

namespace {

using ReportJson = nlohmann::ordered_json;
constexpr auto kToTheRight = TextTable::Align::Right;

double toMs(Clock::duration duration) {
    return std::chrono::duration<double, std::milli>(duration).count();
}

struct Span {
    Clock::time_point begin = Clock::time_point::max();
    Clock::time_point end = Clock::time_point::min();
};

Span spanOf(std::span<const Round> rounds) {
    Span span;
    for (const Round& round : rounds) {
        span.begin = std::min(span.begin, round.begin);
        span.end = std::max(span.end, round.end);
    }
    return span;
}

double perSecond(uint64_t rounds, double elapsedMs) {
    return elapsedMs > 0 ? 1000 * static_cast<double>(rounds) / elapsedMs : 0;
}

struct Stage {
    const char* name;
    const char* jsonName;
    double ms;  // a job
};

std::vector<Stage> meanStages(const JobStages& stages, double latencyMs) {
    const auto mean = [&](uint64_t ns) { return static_cast<double>(ns) / 1e6 / static_cast<double>(stages.jobs); };
    std::vector<Stage> result = {{"waiting for the device", "wait", mean(stages.waitNs)},
                                 {"mapping or copying", "bind", mean(stages.bindNs)},
                                 {"running", "run", mean(stages.runNs)},
                                 {"writing or flushing", "sync", mean(stages.syncNs)}};
    double rest = latencyMs;
    for (const Stage& stage : result) {
        rest -= stage.ms;
    }
    result.push_back({"outside: library, socket, wake-ups", "outside", std::max(rest, 0.0)});
    return result;
}

ReportJson latencyJson(const LatencyStatistics& latency) {
    return {{"min", latency.min}, {"median", latency.median}, {"mean", latency.mean}, {"p90", latency.p90},
            {"p99", latency.p99}, {"p99.9", latency.p999},    {"max", latency.max}};
}

LatencyStatistics latencyOf(std::span<const Round> rounds) {
    const std::array one = {rounds};
    return latencyStatistics(sortedLatenciesMs(one));
}

std::string threeDecimals(double number) {
    return fmt::format("{:.3f}", number);
}

// min, median, mean, p90, p99, p99.9, max; the first title is `min`.
std::vector<TextTable::Column> latencyColumns(const char* min) {
    std::vector<TextTable::Column> columns;
    for (const char* title : {min, "median", "mean", "p90", "p99", "p99.9", "max"}) {
        columns.push_back({title, kToTheRight});
    }
    return columns;
}

std::vector<std::string> latencyCells(const LatencyStatistics& latency) {
    std::vector<std::string> cells;
    for (const double ms :
         {latency.min, latency.median, latency.mean, latency.p90, latency.p99, latency.p999, latency.max}) {
        cells.push_back(threeDecimals(ms));
    }
    return cells;
}

template <typename T>
std::vector<T> joined(std::vector<T> first, std::vector<T> second) {
    first.insert(first.end(), std::make_move_iterator(second.begin()), std::make_move_iterator(second.end()));
    return first;
}

}  // namespace

uint64_t Measurement::rounds() const noexcept {
    uint64_t count = 0;
    for (const std::span<const Round> client : clients) {
        count += client.size();
    }
    return count;
}

double Measurement::elapsedMs() const noexcept {
    Span all;
    for (const std::span<const Round> client : clients) {
        const Span one = spanOf(client);
        all.begin = std::min(all.begin, one.begin);
        all.end = std::max(all.end, one.end);
    }
    return toMs(all.end - all.begin);
}

double Measurement::meanMs() const noexcept {
    double sum = 0;
    for (const std::span<const Round> client : clients) {
        for (const Round& round : client) {
            sum += round.latencyMs();
        }
    }
    return sum / static_cast<double>(rounds());
}

std::optional<std::vector<double>> sharesOfClients(std::span<const std::span<const Round>> clients) {
    Span common{Clock::time_point::min(), Clock::time_point::max()};
    for (const std::span<const Round> client : clients) {
        const Span one = spanOf(client);
        common.begin = std::max(common.begin, one.begin);
        common.end = std::min(common.end, one.end);
    }
    std::vector<double> shares;
    uint64_t most = 0;
    for (const std::span<const Round> client : clients) {
        const auto within = static_cast<uint64_t>(std::count_if(client.begin(), client.end(), [&](const Round& round) {
            return round.end > common.begin && round.end <= common.end;
        }));
        shares.push_back(perSecond(within, toMs(common.end - common.begin)));
        most = std::max(most, within);
    }
    if (clients.size() > 1 && most < kLeastSharedRounds) {
        return std::nullopt;
    }
    return shares;
}

std::string statisticsText(const Measurement& measurement) {
    const std::vector<double> sorted = sortedLatenciesMs(measurement.clients);
    const LatencyStatistics latency = latencyStatistics(sorted);
    std::string text = fmt::format(" {} round{} in {:.3f} s: {:.1f} jobs/s", measurement.rounds(),
                                   measurement.rounds() == 1 ? "" : "s", measurement.elapsedMs() / 1000,
                                   perSecond(measurement.rounds(), measurement.elapsedMs()));
    if (measurement.jobsPerSecond > 0) {
        text += fmt::format(", due {:g} a second{}", measurement.jobsPerSecond,
                            measurement.clients.size() > 1 ? " for each client" : "");
    }
    text += "\n\n";
    TextTable table(joined({{"Milliseconds"}}, latencyColumns("min")));
    table.addRow(joined({measurement.jobsPerSecond > 0 ? "from due" : "a round"}, latencyCells(latency)));
    text += table.text() + "\n" + histogramText(histogram(sorted)) + "\n";
    if (const auto* unknown = std::get_if<std::string>(&measurement.stages)) {
        return text + fmt::format(" Where the time went is not known: {}\n", *unknown);
    }
    TextTable stages({{"Where the time went"}, {"ms a job", kToTheRight}, {"share", kToTheRight}});
    for (const Stage& stage : meanStages(std::get<JobStages>(measurement.stages), latency.mean)) {
        stages.addRow({stage.name, threeDecimals(stage.ms), fmt::format("{:.1f} %", 100 * stage.ms / latency.mean)});
    }
    return text + stages.text();
}

std::string clientsText(const Measurement& measurement) {
    const std::optional<std::vector<double>> shares = sharesOfClients(measurement.clients);
    const auto share = [](double jobsPerSecond) { return fmt::format("{:.1f}", jobsPerSecond); };
    TextTable table(
        joined({{"Client", kToTheRight}, {"Rounds", kToTheRight}, {"Jobs/s", kToTheRight}}, latencyColumns("min ms")));
    for (size_t client = 0; client < measurement.clients.size(); ++client) {
        const std::span<const Round> rounds = measurement.clients[client];
        table.addRow(joined(
            {fmt::format("{}", client + 1), fmt::format("{}", rounds.size()), shares ? share((*shares)[client]) : "-"},
            latencyCells(latencyOf(rounds))));
    }
    table.addRow(joined({"all", fmt::format("{}", measurement.rounds()),
                         shares ? share(std::accumulate(shares->begin(), shares->end(), 0.0)) : "-"},
                        latencyCells(latencyStatistics(sortedLatenciesMs(measurement.clients)))));
    return table.text() +
           (shares ? fmt::format(" Fairness index of their jobs/s while all of them ran: {:.4f} (1: all the same)\n",
                                 fairnessIndex(*shares))
                   : fmt::format(" Fairness index: not known, since none had {} rounds done while all of them ran; -R "
                                 "with more tells\n",
                                 kLeastSharedRounds));
}

std::string statisticsJson(const Measurement& measurement) {
    const std::vector<double> sorted = sortedLatenciesMs(measurement.clients);
    const LatencyStatistics latency = latencyStatistics(sorted);
    ReportJson all = {{"rounds", measurement.rounds()},
                      {"elapsed_ms", measurement.elapsedMs()},
                      {"jobs_per_s", perSecond(measurement.rounds(), measurement.elapsedMs())},
                      {"due_per_s", measurement.jobsPerSecond > 0 ? ReportJson(measurement.jobsPerSecond) : nullptr},
                      {"latency_ms", latencyJson(latency)}};
    ReportJson stages;
    if (const auto* known = std::get_if<JobStages>(&measurement.stages)) {
        for (const Stage& stage : meanStages(*known, latency.mean)) {
            stages[stage.jsonName] = stage.ms;
        }
    }
    all["stages_ms"] = stages;  // null where they are not known
    ReportJson bins = ReportJson::array();
    for (const HistogramBin& bin : histogram(sorted)) {
        bins.push_back({{"from_ms", bin.from}, {"to_ms", bin.to}, {"count", bin.count}});
    }
    all["histogram"] = std::move(bins);
    const std::optional<std::vector<double>> shares = sharesOfClients(measurement.clients);
    ReportJson clients = ReportJson::array();
    for (size_t client = 0; client < measurement.clients.size(); ++client) {
        clients.push_back({{"rounds", measurement.clients[client].size()},
                           {"jobs_per_s", shares ? ReportJson((*shares)[client]) : nullptr},
                           {"latency_ms", latencyJson(latencyOf(measurement.clients[client]))}});
    }
    all["clients"] = std::move(clients);
    all["fairness"] = shares ? ReportJson(fairnessIndex(*shares)) : nullptr;
    return all.dump(2) + "\n";
}

}  // namespace larod::tools
