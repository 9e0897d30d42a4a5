// SPDX-License-Identifier: Apache-2.0
// Compares cpu-proc's conversions with other libraries', each in time and in error against the double-precision
// reference, on one thread, in turns.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <numeric>
#include <random>

#include "bench/samples.h"
#include "preprocessing/memory_floor.h"
#include "preprocessing/route.h"
#include "reference.h"

namespace larod::bench {
namespace {

namespace proc = device::proc;

struct Size {
    size_t width;
    size_t height;
};

struct Scale {
    const char* name;
    Size from;
    Size to;
};

constexpr Scale kScales[] = {{"reduce", {1920, 1080}, {300, 300}},
                             {"reduce a little", {1280, 720}, {640, 640}},
                             {"same size", {1280, 720}, {1280, 720}},
                             {"enlarge", {640, 360}, {1280, 720}}};

// Those of the interface first.
constexpr Format kInputs[] = {Format::Nv12,           Format::RgbInterleaved, Format::RgbPlanar, Format::Nv21,
                              Format::I420,           Format::Yuyv,           Format::Uyvy,      Format::Gray,
                              Format::BgrInterleaved, Format::RgbaInterleaved};
constexpr Format kOutputs[] = {Format::Nv12, Format::RgbInterleaved, Format::RgbPlanar};

// A picture: smooth areas, edges and a little noise, in every plane.
std::vector<uint8_t> picture(const Image& image) {
    // cpu-proc may read a little behind an input (device.h).
    std::vector<uint8_t> bytes(image.bytes() + 64);
    std::minstd_rand random(1);
    for (size_t i = 0; i < bytes.size(); ++i) {
        const double x = static_cast<double>(i % image.width) / 40;
        const double y = static_cast<double>(i) / static_cast<double>(image.width) / 30;
        const double edge = std::fmod(x + y, 7) > 5 ? 60 : 0;
        bytes[i] =
            static_cast<uint8_t>(90 + 40 * std::sin(x) + 30 * std::cos(y) + edge + static_cast<double>(random() % 16));
    }
    return bytes;
}

struct Result {
    Route route;
    std::vector<double> times;  // microseconds, of each round
    double largest = 0;         // error of a byte
    double psnr = 0;            // dB
};

proc::ReferenceImage referenceImage(const Image& image) {
    const std::string format(describe(image.format).name);
    return {format, image.width, image.height, proc::referenceRowBytes(format, image.width)};
}

void compare(Result& result, const std::vector<double>& expected, const std::vector<uint8_t>& output) {
    double squares = 0;
    for (size_t i = 0; i < expected.size(); ++i) {
        const double error = std::abs(expected[i] - output[i]);
        result.largest = std::max(result.largest, error);
        squares += error * error;
    }
    result.psnr = 10 * std::log10(255.0 * 255.0 * static_cast<double>(expected.size()) / squares);
}

double median(const std::vector<double>& values) {
    return quantile(values, 0.5);
}

// Of each round: machines have fast and slow moments, and what two programs take in one of them can be compared.
MedianOfRounds medianRatio(const std::vector<double>& dividends, const std::vector<double>& divisors) {
    std::vector<double> ratios;
    for (size_t i = 0; i < dividends.size(); ++i) {
        ratios.push_back(dividends[i] / divisors[i]);
    }
    return medianOfRounds(std::move(ratios));
}

// Of the lines of a scale: how many times our time the others take.
class Summary {
  public:
    // `errorIsSmall`: not larger than ours.
    void add(const std::string& line, const std::string& name, const MedianOfRounds& ratio, bool errorIsSmall) {
        auto [place, isNew] = ranges_.try_emplace(name, ratio.value, ratio.value);
        auto& [smallest, largest] = place->second;
        smallest = std::min(smallest, ratio.value);
        largest = std::max(largest, ratio.value);
        if (errorIsSmall && ratio.high < 1) {
            faster_.push_back(
                fmt::format("{}: {} {:.2f} ({:.2f} to {:.2f})", line, name, ratio.value, ratio.low, ratio.high));
        }
    }

    // Nothing where no line was measured.
    void print(const char* scale) const {
        if (ranges_.empty()) {
            return;
        }
        fmt::print("{}, all lines:", scale);
        for (const auto& [name, range] : ranges_) {
            fmt::print("  {} {:.2f} to {:.2f}", name, range.first, range.second);
        }
        fmt::print("\nfaster with an error that is not larger, in 95 of 100 runs: {}\n",
                   faster_.empty() ? "none" : fmt::format("{}", fmt::join(faster_, "; ")));
    }

  private:
    std::map<std::string, std::pair<double, double>> ranges_;
    std::vector<std::string> faster_;
};

struct Settings {
    size_t rounds = 100;
    std::string only;
    bool fresh = false;  // every image comes from memory
    bool read = false;   // and the output is read afterwards
};

// A word of each cache line at the least, as fast as memory allows.
void readAll(const std::vector<uint8_t>& bytes) {
    uint64_t sum = 0;
    for (size_t i = 0; i + 16 <= bytes.size(); i += 16) {
        uint64_t word = 0;
        std::memcpy(&word, bytes.data() + i, sizeof(word));
        sum += word;
    }
    volatile uint64_t used = sum;  // or the compiler leaves it out
    (void)used;
}

void measure(const Conversion& conversion, const Scale& scale, const Settings& settings, Summary& summary) {
    const size_t total = settings.fresh ? bytesBeyondCaches() : 0;
    const std::vector<std::vector<uint8_t>> images(total / conversion.from.bytes() + 1, picture(conversion.from));
    std::vector<uint8_t> output(conversion.to.bytes());
    std::vector<Result> results;
    for (const MakeRoute make : {openlarodRoute, libyuvRoute, opencvRoute, usualRoute, swscaleRoute}) {
        if (auto route = make(conversion)) {
            results.push_back({*std::move(route), {}});
        }
    }
    Reader reader(touchedBytes(conversion), total);
    std::vector<double> floor;
    std::vector<size_t> order(results.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::minstd_rand random(1);
    size_t image = 0;
    // In changing order: what the one before left in the cache is a part of a time.
    for (size_t round = 0; round < settings.rounds; ++round) {
        std::shuffle(order.begin(), order.end(), random);
        for (const size_t index : order) {
            const uint8_t* const input = images[image].data();
            image = (image + 1) % images.size();
            const double begin = threadMicroseconds();
            results[index].route.run(input, output.data());
            if (settings.read) {
                readAll(output);
            }
            results[index].times.push_back(threadMicroseconds() - begin);
        }
        if (!settings.fresh) {
            (void)reader.read();  // into the caches again
        }
        floor.push_back(reader.read());
    }
    const auto expected = proc::referenceConvert(referenceImage(conversion.from), images[0],
                                                 {0, 0, conversion.from.width, conversion.from.height}, "bilinear",
                                                 referenceImage(conversion.to));
    const std::string line =
        fmt::format("{} -> {}", describe(conversion.from.format).name, describe(conversion.to.format).name);
    fmt::print("{:<15} {:<35}", scale.name, line);
    const auto& ours = results[0].times;
    for (Result& result : results) {
        std::fill(output.begin(), output.end(), uint8_t{0});  // nothing of another's result
        result.route.run(images[0].data(), output.data());
        compare(result, expected, output);
        const MedianOfRounds ratio = medianRatio(result.times, ours);
        fmt::print("  {:>9} {:7.1f} us {:5.2f}x {:6.1f} {:5.1f} dB", result.route.name, median(result.times),
                   ratio.value, result.largest, result.psnr);
        if (&result != &results[0]) {
            // The reference is rounded to bytes by each; a hundredth is nothing.
            summary.add(line, result.route.name, ratio, result.largest <= results[0].largest + 0.01);
        }
    }
    const MedianOfRounds floorRatio = medianRatio(floor, ours);
    summary.add(line, "floor", floorRatio, false);
    fmt::print("  floor {:.1f} us {:.2f}x\n", median(floor), floorRatio.value);
    std::fflush(stdout);
}

}  // namespace

int run(const Settings& settings) {
    Reader reader(size_t{16} << 20, bytesBeyondCaches());
    std::vector<double> times;
    for (int i = 0; i < 30; ++i) {
        times.push_back(reader.read());
    }
    fmt::print(
        "Each: microseconds (median of {} rounds), times openlarod's (median), largest error, PSNR.\n"
        "Inputs: {}.\n"
        "Floor: reading as many bytes as are touched, from where the inputs are. Memory: {:.1f} GB/s.\n",
        settings.rounds,
        settings.fresh ? "each from memory, as a camera's are" : "the same image each time, in the caches that hold it",
        static_cast<double>(size_t{16} << 20) / 1e3 / median(times));
    for (const Scale& scale : kScales) {
        Summary summary;
        for (const Format from : kInputs) {
            for (const Format to : kOutputs) {
                if (settings.only.empty() || fmt::format("{} {} {}", scale.name, describe(from).name, describe(to).name)
                                                 .starts_with(settings.only)) {
                    measure({{from, scale.from.width, scale.from.height}, {to, scale.to.width, scale.to.height}}, scale,
                            settings, summary);
                }
            }
        }
        summary.print(scale.name);
    }
    return 0;
}

}  // namespace larod::bench

int main(int argc, char** argv) {
    CLI::App app("Time and error of cpu-proc's conversions beside other libraries'");
    larod::bench::Settings settings;
    app.add_option("--rounds", settings.rounds, "Rounds of each conversion")
        ->check(CLI::Range(1, 100'000))
        ->capture_default_str();
    app.add_option("--only", settings.only, "Only lines that begin so, like 'reduce nv12'");
    app.add_flag("--fresh", settings.fresh, "Every image comes from memory; otherwise they are in the caches");
    app.add_flag(
        "--read", settings.read,
        "Count the time of reading the output once, too: some libraries write past the caches, which costs who "
        "uses the image");
    CLI11_PARSE(app, argc, argv);
    return larod::bench::run(settings);
}
