// SPDX-License-Identifier: Apache-2.0
// A classification on many pictures whose classes are known.
#include "larod-client/dataset.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

#include "larod-client/handles.h"
#include "larod-client/input_files.h"
#include "larod-client/job_queue.h"
#include "larod-client/picture_converter.h"
#include "larod-client/picture_file.h"
#include "larod-client/progress.h"
#include "larod-client/run.h"
#include "larod-client/stamped_output.h"
#include "larod-client/stop_signal.h"
#include "larod-client/tool_error.h"
#include "larod-client/whole_file.h"

namespace larod::tools {

namespace {

constexpr size_t kBestClasses = 5;

// Buffers for one job, so that a picture can be prepared while the job of another one runs.
class PictureSlot {
  public:
    PictureSlot(larodConnection* conn, const larodModel* model, const Options& options)
        : inputs_(conn, model, Direction::Input, options.tensors.inputBuffers, options.tensors.allocParameters),
          outputs_(conn, model, Direction::Output, options.tensors.outputBuffers, options.tensors.allocParameters) {
        if (inputs_.size() != 1 || outputs_.size() != 1) {
            throw ToolError(EINVAL, fmt::format("A classification has one input and one output, but the model has {} "
                                                "and {}",
                                                inputs_.size(), outputs_.size()));
        }
        giveMemory(inputs_, 0);
        giveMemory(outputs_, 0);
        if (options.tensors.trackInputs) {
            inputs_.track(conn);
        }
        if (options.tensors.trackOutputs) {
            outputs_.track(conn);
        }
        request_ = makeJobRequest(model, inputs_, outputs_, options.jobs);
        job_.emplace(conn, request_.get(), 1, nullptr);
    }

    [[nodiscard]] const TensorBuffers& inputs() const noexcept { return inputs_; }
    [[nodiscard]] const TensorBuffers& outputs() const noexcept { return outputs_; }
    [[nodiscard]] JobQueue& job() noexcept { return *job_; }

    std::optional<size_t> entry;  // whose job was started

  private:
    TensorBuffers inputs_;
    TensorBuffers outputs_;
    RequestHandle request_;
    std::optional<JobQueue> job_;  // ends first
};

// The parts of one dataset run.
class DatasetRun {
  public:
    DatasetRun(larodConnection* conn, const larodModel* model, const Options& options)
        : options_(options),
          labels_(options.validate.labelsFile.empty() ? Labels() : Labels(options.validate.labelsFile)),
          entries_(parseTruth(readLines(options.validate.truthFile), options.validate.truthFile)),
          converter_(conn, options.pictures) {
        for (const TruthEntry& entry : entries_) {
            classes_.push_back(labels_.classOf(entry.label));
        }
        for (auto& slot : slots_) {
            slot = std::make_unique<PictureSlot>(conn, model, options);
        }
    }

    void run() {
        printStamped(fmt::format("Running job for {} picture(s)...", entries_.size()));
        progress_ = progressAtTerminal(entries_.size());
        const auto begin = std::chrono::steady_clock::now();
        for (size_t entry = 0; entry < entries_.size() && (entry == 0 || !stopRequested()); ++entry) {
            PictureSlot& slot = *slots_[entry % slots_.size()];
            finish(slot);
            prepare(slot, entry);
        }
        const auto oldest = static_cast<size_t>(accuracy_.pictures);
        for (size_t entry = oldest; entry < oldest + slots_.size(); ++entry) {
            finish(*slots_[entry % slots_.size()]);
        }
        const std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - begin;
        progress_.reset();
        printStamped(fmt::format("Right class: {}", accuracy_.text()));
        printStamped(fmt::format("{:.1f} pictures a second, with reading and preprocessing",
                                 1000 * static_cast<double>(accuracy_.pictures) / elapsed.count()));
        printStamped(meanLine({accuracy_.pictures, elapsed}));
    }

  private:
    void prepare(PictureSlot& slot, size_t entry) {
        const std::string file =
            (std::filesystem::path(options_.validate.datasetFolder) / entries_[entry].file).string();
        const Picture picture = readPicture(file, true);
        try {
            converter_.fill(picture, slot.inputs().tensors()[0], slot.inputs().nameOf(0));
        } catch (const ToolError& error) {
            throw ToolError(error.code(), fmt::format("'{}': {}", file, error.what()));
        }
        slot.entry = entry;
        slot.job().start(Clock::now());
    }

    void finish(PictureSlot& slot) {
        if (!slot.entry) {
            return;
        }
        const size_t entry = *std::exchange(slot.entry, std::nullopt);
        slot.job().drain();
        // As they are: a softmax would make many of them 0, and the order is all that counts.
        const std::vector<double> scores = readElements(slot.outputs(), 0).values();
        labels_.checkCount(scores.size());
        if (classes_[entry] >= scores.size()) {
            throw ToolError(EINVAL, fmt::format("'{}' is said to be class {}, but the output has {} classes",
                                                entries_[entry].file, classes_[entry], scores.size()));
        }
        accuracy_.count(scores, classes_[entry]);
        if (progress_) {
            progress_->onJobEnd(Clock::now());
        }
    }

    const Options& options_;
    Labels labels_;
    std::vector<TruthEntry> entries_;
    std::vector<size_t> classes_;
    PictureConverter converter_;
    std::array<std::unique_ptr<PictureSlot>, 2> slots_;
    Accuracy accuracy_;
    std::unique_ptr<Progress> progress_;
};

ToolError truthError(const std::string& fileName, size_t line, std::string_view what) {
    return {EINVAL, fmt::format("'{}', line {}: {}", fileName, line, what)};
}

}  // namespace

std::vector<TruthEntry> parseTruth(const std::vector<std::string>& lines, const std::string& fileName) {
    constexpr const char* kBlanks = " \t";
    std::vector<TruthEntry> entries;
    for (size_t number = 1; number <= lines.size(); ++number) {
        const std::string& line = lines[number - 1];
        const size_t begin = line.find_first_not_of(kBlanks);
        if (begin == std::string::npos || line[begin] == '#') {
            continue;
        }
        const bool isQuoted = line[begin] == '"';
        const size_t nameBegin = isQuoted ? begin + 1 : begin;
        const size_t nameEnd = isQuoted ? line.find('"', nameBegin) : line.find_first_of(kBlanks, nameBegin);
        if (isQuoted && nameEnd == std::string::npos) {
            throw truthError(fileName, number, "the name of the file has no closing quote");
        }
        const size_t label =
            nameEnd == std::string::npos ? nameEnd : line.find_first_not_of(kBlanks, nameEnd + (isQuoted ? 1 : 0));
        if (label == std::string::npos) {
            throw truthError(fileName, number, "expected the name of a file, a blank and its label");
        }
        const size_t labelEnd = line.find_last_not_of(kBlanks);
        entries.push_back({line.substr(nameBegin, nameEnd - nameBegin), line.substr(label, labelEnd + 1 - label)});
    }
    if (entries.empty()) {
        throw ToolError(EINVAL, fmt::format("'{}' names no picture", fileName));
    }
    return entries;
}

void Accuracy::count(std::span<const double> scores, size_t rightClass) {
    ++pictures;
    const std::vector<size_t> best = greatest(scores, kBestClasses);
    first += best.front() == rightClass ? 1U : 0U;
    amongFive += std::find(best.begin(), best.end(), rightClass) != best.end() ? 1U : 0U;
}

std::string Accuracy::text() const {
    const auto share = [this](uint64_t part) {
        const double percent = pictures == 0 ? 0 : 100 * static_cast<double>(part) / static_cast<double>(pictures);
        return fmt::format("{:.2f} % ({} of {})", percent, part, pictures);
    };
    return fmt::format("first {}, among five {}", share(first), share(amongFive));
}

void runDataset(larodConnection* conn, const larodModel* model, const Options& options) {
    DatasetRun(conn, model, options).run();
}

}  // namespace larod::tools
