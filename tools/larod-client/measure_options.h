// SPDX-License-Identifier: Apache-2.0
// Options for those who measure and validate.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace larod::tools {

struct Options;

// Each has a recorder, a model and buffers of its own.
inline constexpr uint32_t kMaxClients = 256;
inline constexpr size_t kDefaultTop = 5;

struct MeasureOptions {
    bool stats = false;
    double jobsPerSecond = 0;  // 0: the next job begins when the last is done, or as -q says
    std::string samplesFile;   // empty: none
    uint32_t clients = 1;

    [[nodiscard]] bool hasRate() const noexcept { return jobsPerSecond > 0; }
    // The rounds are kept, each of them.
    [[nodiscard]] bool records() const noexcept { return stats || hasRate() || !samplesFile.empty() || clients > 1; }
};

enum class Fit : uint8_t {
    Letterbox,  // the whole picture in its shape, between black borders
    Stretch,
};

// How a picture becomes an input.
struct PictureOptions {
    Fit fit = Fit::Letterbox;
    std::string device = "cpu-proc";
    std::string mean;   // empty: by the type of the input's elements
    std::string scale;  // empty: the same
};

struct ValidateOptions {
    std::vector<std::string> references;  // of the outputs, in their order
    std::optional<double> tolerance;
    std::string labelsFile;
    std::optional<uint64_t> top;
    std::string savedImage;
    std::string datasetFolder;
    std::string truthFile;

    [[nodiscard]] bool classifies() const noexcept { return !labelsFile.empty() || top; }
    [[nodiscard]] bool hasDataset() const noexcept { return !datasetFolder.empty(); }
};

void addMeasureOptions(CLI::App& app, MeasureOptions& options);
void addPictureOptions(CLI::App& app, PictureOptions& options);
void addValidateOptions(CLI::App& app, ValidateOptions& options);

// Throws UsageError for what makes no sense together.
void checkMeasuring(const Options& options);

}  // namespace larod::tools
