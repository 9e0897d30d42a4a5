// SPDX-License-Identifier: Apache-2.0
// larod-bench: what the service costs, each figure against a baseline of the same run.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/frames.h"
#include "bench/in_process.h"
#include "bench/ping_pong.h"
#include "bench/samples.h"
#include "bench/service_client.h"
#include "bench/service_process.h"

namespace larod::bench {
namespace {

constexpr size_t kLargest = size_t{24} << 20;

struct Options {
    size_t rounds = 15;
    size_t block = 1000;
    std::string model;
    std::vector<size_t> frame;  // width, height
    unsigned threads = 1;
    std::optional<int> cpu;
    std::vector<int> twoCpus;
    bool dmaBufs = false;
};

// What is measured with dma-bufs, where the machine has them.
struct DmaBufs {
    explicit DmaBufs(const Connection& connection)
        : smallModel(connection, 64),
          largeModel(connection, kLargest),
          smallJob(connection, smallModel, LAROD_FD_PROP_DMABUF),
          largeJob(connection, largeModel, LAROD_FD_PROP_DMABUF) {}

    void round(size_t count) {
        small.block(count, [this] { smallJob.run(); });
        large.block(count, [this] { largeJob.run(); });
        smallSync.block(count, [this] { smallJob.synchronise(); });
        largeSync.block(count, [this] { largeJob.synchronise(); });
    }

    Model smallModel;
    Model largeModel;
    Job smallJob;
    Job largeJob;
    Samples small{"job with 64 B dma-bufs"};
    Samples large{"job with 24 MiB dma-bufs"};
    Samples smallSync{"  the kernel's SYNC calls, 64 B"};
    Samples largeSync{"  the kernel's SYNC calls, 24 MiB"};
};

// What is measured with a network, where one is given.
struct Network {
    Network(const Connection& connection, const Options& options, const PingPong& floor)
        : model(connection, options.model),
          first(connection, model),
          second(connection, model),
          twoCpus(options.twoCpus),
          local(options.model, options.threads),
          behindPingPong(floor) {}

    // One block of each kind.
    void round(size_t count) {
        moveTo(1);
        inProcess.block(count, [this] { local.run(); });
        inProcessWhole.addBlock(inProcessBlock(count));
        moveTo(0);
        synchronous.block(count, [this] { first.run(); });
        pingPongAround.block(count, [this] { behindPingPong.once(); });
        twoInFlight.addBlock(runInFlight({&first, &second}, count) / static_cast<double>(count));
    }

    // The engine in this process runs where the service's does: two CPUs of a machine are not equally fast.
    void moveTo(size_t side) const {
        if (!twoCpus.empty()) {
            runOnCpu(twoCpus[side]);
        }
    }

    double inProcessBlock(size_t count) {
        const auto start = Clock::now();
        for (size_t i = 0; i < count; ++i) {
            local.run();
        }
        return std::chrono::duration<double, std::micro>(Clock::now() - start).count() / static_cast<double>(count);
    }

    Model model;
    Job first;
    Job second;
    const std::vector<int>& twoCpus;
    InProcess local;
    // The same engine in a bare process that answers one message with another: the least that any service can cost
    // whose client sleeps while the network runs. A CPU that has slept for milliseconds wakes up later than one that
    // has slept for the microseconds of a ping-pong.
    const PingPong& behindPingPong;
    Samples inProcess{"network in-process"};
    Samples synchronous{"network through the service"};
    Samples pingPongAround{"network behind a ping-pong"};
    Samples inProcessWhole{"  in-process, each of a block"};
    Samples twoInFlight{"  two in flight, each of a block"};
};

void printRow(const Samples& samples) {
    fmt::print("{:<34}{:>12.2f}{:>12.2f}{:>14.2f}{:>10}\n", samples.name(), samples.median(), samples.p90(),
               samples.medianOfBlocks(), samples.count());
}

void printRatio(const std::string& name, double value) {
    fmt::print("{:<58}{:>8.3f}\n", name, value);
}

void printRatio(const std::string& name, const MedianOfRounds& median) {
    const std::string interval =
        std::isnan(median.low) ? "-" : fmt::format("{:.3f} to {:.3f}", median.low, median.high);
    fmt::print("{:<58}{:>8.3f}  {}\n", name, median.value, interval);
}

void measure(const Options& options) {
    std::optional<int> peerCpu = options.cpu;
    std::optional<int> ownCpu = options.cpu;
    if (!options.twoCpus.empty()) {
        ownCpu = options.twoCpus[0];
        peerCpu = options.twoCpus[1];
    }
    if (ownCpu) {
        runOnCpu(*ownCpu);
    }
    // Both fork, so they come before everything that a child would inherit.
    const PingPong pingPong(peerCpu);
    std::unique_ptr<PingPong> floor;
    if (!options.model.empty()) {
        floor = std::make_unique<PingPong>(peerCpu, [&options]() -> PingPong::Work {
            return [local = std::make_shared<InProcess>(options.model, options.threads)] { local->run(); };
        });
    }
    const ServiceProcess service(options.threads, peerCpu);
    const Connection connection(service.socketPath());

    const Model smallModel(connection, 64);
    const Model imageModel(connection, 150'528);
    const Model largeModel(connection, kLargest);
    const Job smallJob(connection, smallModel);
    const Job imageJob(connection, imageModel);
    const Job largeJob(connection, largeModel);
    const auto network = floor ? std::make_unique<Network>(connection, options, *floor) : nullptr;
    const auto frames = options.frame.empty() ? nullptr
                                              : std::make_unique<Frames>(connection, options.model, options.threads,
                                                                         options.frame[0], options.frame[1]);
    const auto dmaBufs = options.dmaBufs ? std::make_unique<DmaBufs>(connection) : nullptr;
    const size_t networkBlock = std::max<size_t>(options.block / 50, 4);

    Samples ping("ping-pong");
    Samples small("job with 64 B tensors");
    Samples image("job with 150,528 B tensors");
    Samples large("job with 24 MiB tensors");
    // The first round finds caches and mappings cold, and does not count.
    const auto warmUp = [&](const auto& operation) {
        for (size_t i = 0; i < std::min<size_t>(options.block, 200); ++i) {
            operation();
        }
    };
    warmUp([&] { pingPong.once(); });
    warmUp([&] { smallJob.run(); });
    warmUp([&] { imageJob.run(); });
    warmUp([&] { largeJob.run(); });
    if (network) {
        static_cast<void>(network->inProcessBlock(3));
        network->first.run();
        network->second.run();
        floor->once();
    }
    if (dmaBufs) {
        warmUp([&] { dmaBufs->smallJob.run(); });
        warmUp([&] { dmaBufs->largeJob.run(); });
    }
    for (size_t round = 0; round < options.rounds; ++round) {
        ping.block(options.block, [&] { pingPong.once(); });
        small.block(options.block, [&] { smallJob.run(); });
        image.block(options.block, [&] { imageJob.run(); });
        large.block(options.block, [&] { largeJob.run(); });
        if (dmaBufs) {
            dmaBufs->round(options.block);
        }
        if (network) {
            network->round(networkBlock);
        }
        if (frames) {
            network->moveTo(1);
            frames->localRound(networkBlock);
            network->moveTo(0);
            frames->serviceRound(networkBlock);
        }
    }

    fmt::print("{} rounds; blocks of {}{}; {} engine thread{}; {}\n\n", options.rounds, options.block,
               network ? fmt::format(" ({} of the network)", networkBlock) : "", options.threads,
               options.threads == 1 ? "" : "s",
               options.cpu               ? fmt::format("both sides on CPU {}", *options.cpu)
               : options.twoCpus.empty() ? std::string("on any CPU")
                                         : fmt::format("client on CPU {}, service on CPU {}", *ownCpu, *peerCpu));
    fmt::print("{:<34}{:>12}{:>12}{:>14}{:>10}\n", "microseconds", "median", "p90", "of blocks", "samples");
    for (const Samples* samples : {&ping, &small, &image, &large}) {
        printRow(*samples);
    }
    if (dmaBufs) {
        for (const Samples* samples : {&dmaBufs->small, &dmaBufs->large, &dmaBufs->smallSync, &dmaBufs->largeSync}) {
            printRow(*samples);
        }
    }
    if (network) {
        printRow(network->inProcess);
        printRow(network->synchronous);
        printRow(network->pingPongAround);
        printRow(network->inProcessWhole);
        printRow(network->twoInFlight);
    }
    if (frames) {
        for (const Samples* samples : {&frames->fused(), &frames->two(), &frames->local()}) {
            printRow(*samples);
        }
    }
    fmt::print("\n{:<58}{:>8}  95 % interval\n", "ratios", "median");
    printRatio("job (64 B) / ping-pong", ratio(small, ping));
    printRatio("24 MiB / 64 B", ratio(large, small));
    printRatio("150,528 B / 64 B", ratio(image, small));
    if (dmaBufs) {
        // Both without the kernel's part, or a dearer SYNC of small buffers would hide a cost of large ones.
        printRatio("dma-bufs, without SYNC calls: 24 MiB / 64 B",
                   (dmaBufs->large.median() - dmaBufs->largeSync.median()) /
                       (dmaBufs->small.median() - dmaBufs->smallSync.median()));
        printRatio("dma-bufs / memory files, 64 B", ratio(dmaBufs->small, small));
    }
    if (network) {
        printRatio("throughput, two in flight / in-process", ratio(network->inProcessWhole, network->twoInFlight));
        printRatio("(synchronous latency - in-process) / ping-pong",
                   differenceIn(ping, network->synchronous, network->inProcess));
        printRatio("(network behind a ping-pong - in-process) / ping-pong",
                   differenceIn(ping, network->pingPongAround, network->inProcess));
        printRatio("through the service / behind a ping-pong", ratio(network->synchronous, network->pingPongAround));
    }
    if (frames) {
        printRatio("frame: a fused job / two jobs", ratio(frames->fused(), frames->two()));
        printRatio("frame: a fused job / libyuv and engine in-process", ratio(frames->fused(), frames->local()));
    }
}

int run(int argc, char** argv) {
    Options options;
    CLI::App app(
        "larod-bench: measures what the service costs, with a private service and blocks of each kind in turn.\n"
        "Ratios are medians over the rounds of what blocks of the same round took, with their 95 % confidence "
        "intervals.");
    app.name("larod-bench");
    app.add_option("--rounds", options.rounds, "Blocks of each kind")
        ->check(CLI::Range(1, 1'000'000))
        ->capture_default_str();
    app.add_option("--block", options.block, "Operations in a block; a network's blocks have a 50th of it")
        ->check(CLI::Range(1, 1'000'000))
        ->capture_default_str();
    auto* model =
        app.add_option("--model", options.model, "A .tflite network to run through the service and in this process")
            ->check(CLI::ExistingFile);
    app.add_option(
           "--frame", options.frame,
           "Also nv12 frames of this size to that network: a fused job, two jobs, and libyuv with the engine in "
           "this process; even numbers")
        ->delimiter(',')
        ->expected(2)
        ->type_name("WIDTH,HEIGHT")
        ->check(CLI::Range(2, 16'384))
        ->needs(model);
    app.add_option("--threads", options.threads, "Threads of the engine, on both sides")
        ->check(CLI::Range(1, 1024))
        ->capture_default_str();
    auto* cpu = app.add_option("--cpu", options.cpu, "Run both sides on this CPU");
    app.add_option("--two-cpus", options.twoCpus, "Run this side on CPU A and the service on CPU B")
        ->delimiter(',')
        ->expected(2)
        ->type_name("A,B")
        ->excludes(cpu);
    app.add_flag("--dma-buf", options.dmaBufs,
                 "Also jobs on dma-bufs, where the machine has some (as in the virtual machine of the system tests)");
    CLI11_PARSE(app, argc, argv);
    measure(options);
    return 0;
}

}  // namespace
}  // namespace larod::bench

int main(int argc, char** argv) {
    try {
        return larod::bench::run(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "larod-bench: %s\n", error.what());
        return 1;
    }
}
