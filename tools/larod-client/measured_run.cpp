// SPDX-License-Identifier: Apache-2.0
// A run whose rounds are kept, each of them.
#include "larod-client/measured_run.h"

#include <fmt/format.h>

#include <memory>
#include <utility>
#include <vector>

#include "larod-client/load_client.h"
#include "larod-client/round_recorder.h"
#include "larod-client/run.h"
#include "larod-client/stamped_output.h"
#include "larod-client/statistics_report.h"
#include "larod-client/status_stages.h"
#include "larod-client/whole_file.h"

namespace larod::tools {

namespace {

using Stages = std::variant<JobStages, std::string>;

Stages stagesBetween(const Stages& before, const Stages& after, uint64_t rounds) {
    for (const Stages& stages : {before, after}) {
        if (std::holds_alternative<std::string>(stages)) {
            return stages;
        }
    }
    const JobStages between = std::get<JobStages>(after).since(std::get<JobStages>(before));
    if (between.jobs != rounds) {
        return std::string("other jobs of this process ran meanwhile");
    }
    return between;
}

void report(const Measurement& measurement, const Options& options) {
    if (options.measure.stats) {
        printStamped("Statistics:");
        printPlain(statisticsText(measurement));
    }
    if (measurement.clients.size() > 1) {
        printStamped("Clients:");
        printPlain(clientsText(measurement));
    }
    if (options.json) {
        writeWholeFile(options.jsonFile, statisticsJson(measurement));
    }
    if (!options.measure.samplesFile.empty()) {
        writeSamples(options.measure.samplesFile, measurement.clients,
                     options.measure.hasRate() ? "due_ms" : "start_ms");
    }
}

}  // namespace

RoundsResult runMeasured(larodConnection* conn, const larodJobRequest* request, const Options& options, uint64_t seed) {
    const MeasureOptions& measure = options.measure;
    const std::vector<std::unique_ptr<LoadClient>> others = makeLoadClients(options, seed);
    const uint64_t most = kMaxRecordedRounds / measure.clients;
    const uint64_t kept = options.jobs.rounds == 0 ? most : options.jobs.rounds;
    std::vector<std::unique_ptr<RoundRecorder>> recorders;
    std::vector<LoadPart> parts;
    for (uint32_t client = 0; client < measure.clients; ++client) {
        recorders.push_back(std::make_unique<RoundRecorder>(kept));
        const bool first = client == 0;
        parts.push_back({first ? conn : others[client - 1]->connection(),
                         first ? request : others[client - 1]->request(), recorders.back().get()});
        warmUp(parts.back().connection, parts.back().request, options.jobs);
    }
    if (measure.clients > 1) {
        printStamped(fmt::format("{} clients are connected; each runs its own rounds", measure.clients));
    }
    printStamped(fmt::format("Running job for {} round(s)...", options.jobs.rounds));

    // The clients stay connected: with a session its counters go.
    const Stages before = measure.stats ? readOwnStages() : Stages("not asked for");
    RoundsResult result;
    if (measure.clients == 1) {
        result = measureRounds(conn, request, options, recorders.front().get());
    } else {
        runTogether(parts, options);
    }
    Measurement measurement;
    for (const std::unique_ptr<RoundRecorder>& recorder : recorders) {
        measurement.clients.push_back(recorder->rounds());
    }
    measurement.jobsPerSecond = measure.jobsPerSecond;
    measurement.stages = measure.stats ? stagesBetween(before, readOwnStages(), measurement.rounds()) : before;
    report(measurement, options);
    if (measure.clients > 1 || measure.hasRate()) {
        result.rounds = measurement.rounds();
        result.elapsed =
            std::chrono::duration<double, std::milli>(measurement.meanMs()) * static_cast<double>(result.rounds);
    }
    return result;
}

}  // namespace larod::tools
