// SPDX-License-Identifier: Apache-2.0
#include "bench/dma_buf_jobs.h"

#include <fmt/format.h>

#include "bench/ping_pong.h"
#include "bench/samples.h"
#include "bench/service_client.h"
#include "bench/service_process.h"
#include "bench/table.h"
#include "buffer/dma_buf_sync.h"

namespace larod::bench {
namespace {

using buffer::CpuAccess;
using buffer::DmaBufSync;

constexpr size_t kSmall = 64;
constexpr size_t kLarge = size_t{24} << 20;

// What the service asks of the kernel for a job of one input and one output, and nothing else.
void synchronise(const Job& job) {
    DmaBufSync input;
    DmaBufSync output;
    static_cast<void>(input.begin(job.inputFd(), CpuAccess::Read));
    static_cast<void>(output.begin(job.outputFd(), CpuAccess::Write));
    input.end();
    output.end();
}

// A block is timed as a whole: where the clock itself is slow, as in a virtual machine, reading it around each
// operation would count in short operations more than in long ones.
template <typename Operation>
void addBlock(Samples& samples, size_t count, Operation&& operation) {
    const auto start = Clock::now();
    for (size_t i = 0; i < count; ++i) {
        operation();
    }
    samples.addBlock(std::chrono::duration<double, std::micro>(Clock::now() - start).count() /
                     static_cast<double>(count));
}

}  // namespace

void measureDmaBufs(const DmaBufOptions& options) {
    std::vector<std::string> serviceOptions;
    if (!options.heap.empty()) {
        serviceOptions = {"--dma-heap", options.heap};
    }
    if (options.cpu) {
        runOnCpu(*options.cpu);
    }
    const ServiceProcess service(1, options.cpu, serviceOptions);
    const Connection connection(service.socketPath());
    const Model smallModel(connection, kSmall);
    const Model largeModel(connection, kLarge);
    const Job fileJob(connection, smallModel);
    const Job smallJob(connection, smallModel, LAROD_FD_TYPE_DMA);
    const Job largeJob(connection, largeModel, LAROD_FD_TYPE_DMA);

    Samples file("job, 64 B in memory files");
    Samples small("job, 64 B in dma-bufs");
    Samples large("job, 24 MiB in dma-bufs");
    Samples smallSync("SYNC calls of a job, 64 B");
    Samples largeSync("SYNC calls of a job, 24 MiB");
    // What the small jobs and the kernel alone account for.
    Samples expected("small job, SYNC of the large one");
    Samples expectedOfFiles("job in files and SYNC");
    for (size_t round = 0; round <= options.rounds; ++round) {
        // The first round finds caches and mappings cold, and does not count.
        Samples ignored("");
        const auto block = [&](Samples& samples, const auto& operation) {
            addBlock(round == 0 ? ignored : samples, options.block, operation);
        };
        block(file, [&] { fileJob.run(); });
        block(small, [&] { smallJob.run(); });
        block(large, [&] { largeJob.run(); });
        block(smallSync, [&] { synchronise(smallJob); });
        block(largeSync, [&] { synchronise(largeJob); });
        if (round > 0) {
            const double kernel = largeSync.blockMedians().back();
            expected.addBlock(small.blockMedians().back() - smallSync.blockMedians().back() + kernel);
            expectedOfFiles.addBlock(file.blockMedians().back() + kernel);
        }
    }

    fmt::print("{} rounds; blocks of {}\n\n", options.rounds, options.block);
    printHeading();
    for (const Samples* samples : {&file, &small, &large, &smallSync, &largeSync}) {
        printRow(*samples);
    }
    fmt::print("\n");
    printRatio("24 MiB / (64 B in dma-bufs, with SYNC of 24 MiB)", ratio(large, expected));
    printRatio("24 MiB / (64 B in memory files + SYNC of 24 MiB)", ratio(large, expectedOfFiles));
}

}  // namespace larod::bench
