// SPDX-License-Identifier: Apache-2.0
// What a word that was begun can become.
#include "larod-client/completion.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "larod-client/command_words.h"

namespace larod::tools {

namespace {

// docs/preprocessing.md, docs/dma-buf.md; of debug-device those that are no pattern.
const std::vector<std::string> kModelKeys = {"image.input.format",
                                             "image.input.size",
                                             "image.input.row-pitch",
                                             "image.input.crop",
                                             "image.input.colorimetry",
                                             "image.output.format",
                                             "image.output.size",
                                             "image.output.row-pitch",
                                             "image.output.filter",
                                             "image.output.type",
                                             "image.output.mean",
                                             "image.output.scale",
                                             "debug.inputs",
                                             "debug.outputs",
                                             "debug.input.0",
                                             "debug.output.0",
                                             "debug.echo",
                                             "debug.delay",
                                             "debug.seed",
                                             "debug.power-refusals",
                                             "debug.load.power-refusals"};
const std::vector<std::string> kJobKeys = {"image.input.crop", "skip-input-dma-sync", "skip-output-dma-sync"};
const std::vector<std::string> kBufferTypes = {"ext-disk", "larod-disk", "larod-dma", "ext-dma"};
const std::vector<std::string> kFits = {"letterbox", "stretch"};
// As the help text calls the values.
const std::vector<std::string> kFileTypes = {"FILE", "[FILE]", "FOLDER", "CSV", "PNG"};

// Those that begin as `begun` does, with `lead` before and `tail` after them.
void addMatching(std::vector<std::string>& words, const std::vector<std::string>& candidates, std::string_view begun,
                 std::string_view lead, std::string_view tail) {
    for (const std::string& candidate : candidates) {
        if (candidate.starts_with(begun)) {
            words.push_back(std::string(lead) + candidate + std::string(tail));
        }
    }
}

void addFiles(Completions& result, std::string_view begun, std::string_view lead) {
    const size_t slash = begun.rfind('/');
    const std::string folder(slash == std::string_view::npos ? "" : begun.substr(0, slash + 1));
    const std::string_view name = begun.substr(folder.size());
    std::error_code error;
    for (auto entry = std::filesystem::directory_iterator(folder.empty() ? "." : folder, error);
         !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
        const std::string fileName = entry->path().filename().string();
        // Hidden ones are offered to those who ask for them.
        if (!fileName.starts_with(name) || (name.empty() && fileName.starts_with("."))) {
            continue;
        }
        std::error_code unknown;
        const bool isFolder = entry->is_directory(unknown);
        result.words.push_back(std::string(lead) + folder + fileName + (isFolder ? "/" : ""));
    }
    result.goOn = result.words.size() == 1 && result.words.front().ends_with('/');
}

bool isCalled(const OptionNames& option, std::string_view name) {
    return std::find(option.names.begin(), option.names.end(), name) != option.names.end();
}

const OptionNames* findOption(const std::vector<OptionNames>& options, std::string_view name) {
    const auto found =
        std::find_if(options.begin(), options.end(), [&](const OptionNames& option) { return isCalled(option, name); });
    return found == options.end() ? nullptr : &*found;
}

// `lead` is what stands before the value in its word: "--device=", "-c" or nothing.
void addValues(Completions& result, const OptionNames& option, std::string_view begun, std::string_view lead,
               const std::vector<std::string>& devices) {
    if (option.valueType == "KEY:VALUE") {
        const bool ofJob = isCalled(option, "--job-param");
        addMatching(result.words, ofJob ? kJobKeys : kModelKeys, begun, lead, ":");
        result.goOn = true;
    } else if (isCalled(option, "--device") || isCalled(option, "--picture-device")) {
        addMatching(result.words, devices, begun, lead, "");
    } else if (isCalled(option, "--input-buf-type") || isCalled(option, "--output-buf-type")) {
        addMatching(result.words, kBufferTypes, begun, lead, "");
    } else if (isCalled(option, "--fit")) {
        addMatching(result.words, kFits, begun, lead, "");
    } else if (std::find(kFileTypes.begin(), kFileTypes.end(), option.valueType) != kFileTypes.end()) {
        addFiles(result, begun, lead);
    }
}

}  // namespace

std::string Completions::common() const {
    if (words.empty()) {
        return {};
    }
    std::string_view result = words.front();
    for (const std::string& word : words) {
        const auto [end, other] = std::mismatch(result.begin(), result.end(), word.begin(), word.end());
        result = result.substr(0, static_cast<size_t>(end - result.begin()));
    }
    return std::string(result);
}

Completions complete(std::string_view line, const std::vector<OptionNames>& options,
                     const std::vector<std::string>& devices) {
    CommandWords words = splitWords(line);
    std::string begun;
    if (words.openAt < line.size()) {
        begun = words.words.back();
        words.words.pop_back();
    }
    Completions result;
    result.from = words.openAt;
    const OptionNames* before = words.words.empty() ? nullptr : findOption(options, words.words.back());
    const size_t equals = begun.find('=');
    if (before != nullptr && before->takesValue()) {
        addValues(result, *before, begun, "", devices);
    } else if (begun.starts_with("--") && equals != std::string::npos) {
        const OptionNames* option = findOption(options, begun.substr(0, equals));
        if (option != nullptr && option->takesValue()) {
            addValues(result, *option, begun.substr(equals + 1), begun.substr(0, equals + 1), devices);
        }
    } else if (const OptionNames* option = findOption(options, begun.substr(0, 2));
               begun.size() > 2 && option != nullptr && option->takesValue()) {
        addValues(result, *option, begun.substr(2), begun.substr(0, 2), devices);
    } else {
        for (const OptionNames& each : options) {
            // A short name is complete as it is: the long one is what one looks for.
            addMatching(result.words, {each.names.back()}, begun, "", "");
        }
    }
    std::sort(result.words.begin(), result.words.end());
    return result;
}

}  // namespace larod::tools
