// SPDX-License-Identifier: Apache-2.0
// Compares cpu-proc's conversions with other libraries', each in time and in error against the double-precision
// reference, on one thread, in turns.
#include <fmt/format.h>
#include <time.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <random>

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

constexpr Pixels kPixels[] = {Pixels::Nv12, Pixels::RgbInterleaved, Pixels::RgbPlanar};

// Of this thread alone: other programs' turns are not in it, only what they do to the caches.
double threadMicroseconds() {
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

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
    double best = std::numeric_limits<double>::infinity();  // microseconds
    double largest = 0;                                     // error of a byte
    double psnr = 0;                                        // dB
};

proc::ReferenceImage referenceImage(const Image& image) {
    const std::string format = nameOf(image.pixels);
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

// Bytes of memory that one core copies in a microsecond, read and written.
double copyRate() {
    std::vector<uint8_t> from(size_t{64} << 20, 1);
    std::vector<uint8_t> to(from.size());
    double best = std::numeric_limits<double>::infinity();
    for (int i = 0; i < 5; ++i) {
        const double begin = threadMicroseconds();
        std::memcpy(to.data(), from.data(), from.size());
        best = std::min(best, threadMicroseconds() - begin);
        from[0] = to[1];
    }
    return 2 * static_cast<double>(from.size()) / best;
}

// What touching these bytes takes if they come from memory: all of the output, and of the input the rows that it is
// made of. Images that are still in the cache take less.
double memoryMicroseconds(const Conversion& conversion, double rate) {
    const double rows =
        std::min(1.0, 2 * static_cast<double>(conversion.to.height) / static_cast<double>(conversion.from.height));
    return (rows * static_cast<double>(conversion.from.bytes()) + static_cast<double>(conversion.to.bytes())) / rate;
}

void measure(const Conversion& conversion, const Scale& scale, size_t rounds, double rate) {
    const auto input = picture(conversion.from);
    std::vector<uint8_t> output(conversion.to.bytes());
    std::vector<Result> results;
    for (const MakeRoute make : {openlarodRoute, libyuvRoute, opencvRoute, usualRoute, swscaleRoute}) {
        if (auto route = make(conversion, input.data())) {
            results.push_back({*std::move(route)});
        }
    }
    std::vector<size_t> order(results.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::minstd_rand random(1);
    // In changing order: what the one before left in the cache is a part of a time.
    for (size_t round = 0; round < rounds; ++round) {
        std::shuffle(order.begin(), order.end(), random);
        for (const size_t index : order) {
            Result& result = results[index];
            const double begin = threadMicroseconds();
            result.route.run(output.data());
            result.best = std::min(result.best, threadMicroseconds() - begin);
        }
    }
    const auto expected = proc::referenceConvert(referenceImage(conversion.from), input,
                                                 {0, 0, conversion.from.width, conversion.from.height}, "bilinear",
                                                 referenceImage(conversion.to));
    fmt::print("{:<16} {:>15} -> {:<15}", scale.name, nameOf(conversion.from.pixels), nameOf(conversion.to.pixels));
    for (Result& result : results) {
        std::fill(output.begin(), output.end(), uint8_t{0});  // nothing of another's result
        result.route.run(output.data());
        compare(result, expected, output);
        fmt::print("  {:>9} {:7.1f} us {:5.2f}x {:6.1f} {:5.1f} dB", result.route.name, result.best,
                   result.best / results[0].best, result.largest, result.psnr);
    }
    fmt::print("  from memory {:.1f} us\n", memoryMicroseconds(conversion, rate));
    std::fflush(stdout);
}

}  // namespace

int run(size_t rounds, const std::string& only) {
    const double rate = copyRate();
    fmt::print(
        "Each: microseconds (the best of {} rounds), times openlarod's, largest error, PSNR. Memory: {:.1f} GB/s\n",
        rounds, rate / 1e3);
    for (const Scale& scale : kScales) {
        for (const Pixels from : kPixels) {
            for (const Pixels to : kPixels) {
                if (only.empty() || fmt::format("{} {} {}", scale.name, nameOf(from), nameOf(to)).starts_with(only)) {
                    measure({{from, scale.from.width, scale.from.height}, {to, scale.to.width, scale.to.height}}, scale,
                            rounds, rate);
                }
            }
        }
    }
    return 0;
}

}  // namespace larod::bench

int main(int argc, char** argv) {
    CLI::App app("Time and error of cpu-proc's conversions beside other libraries'");
    size_t rounds = 100;
    std::string only;
    app.add_option("--rounds", rounds, "Rounds of each conversion")
        ->check(CLI::Range(1, 100'000))
        ->capture_default_str();
    app.add_option("--only", only, "Only lines that begin so, like 'reduce nv12'");
    CLI11_PARSE(app, argc, argv);
    return larod::bench::run(rounds, only);
}
