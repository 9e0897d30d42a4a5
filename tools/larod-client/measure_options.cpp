// SPDX-License-Identifier: Apache-2.0
// Options for those who measure and validate.
#include "larod-client/measure_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <system_error>
#include <variant>

#include "larod-client/option_group.h"
#include "larod-client/options.h"
#include "larod-client/picture_file.h"
#include "larod-client/round_recorder.h"
#include "larod-client/tool_error.h"

namespace larod::tools {

namespace {

// Fewer than one a day can't be meant, nor more than the clock tells apart.
constexpr double kMinRate = 1e-5;
constexpr double kMaxRate = 1e6;

double parseReal(const std::string& text, double least, double most) {
    double number = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc{} || rest != end || !(number >= least && number <= most)) {
        throw UsageError(fmt::format("'{}' is not a number from {:.15g} to {:.15g}", text, least, most));
    }
    return number;
}

// "127.5", or three such numbers with commas.
std::string checkedChannels(const std::string& text) {
    size_t numbers = 0;
    for (size_t begin = 0; begin <= text.size(); ++numbers) {
        const size_t end = std::min(text.find(',', begin), text.size());
        static_cast<void>(parseReal(text.substr(begin, end - begin), -1e6, 1e6));
        begin = end + 1;
    }
    if (numbers != 1 && numbers != 3) {
        throw UsageError(fmt::format("'{}' is neither one number nor three with commas", text));
    }
    return text;
}

// A wrong pair, and why.
struct Conflict {
    bool both;
    const char* text;
};

void refuse(std::initializer_list<Conflict> conflicts) {
    for (const Conflict& conflict : conflicts) {
        if (conflict.both) {
            throw UsageError(conflict.text);
        }
    }
}

bool usesPicture(const Options& options) {
    return options.validate.hasDataset() ||
           std::any_of(options.tensors.inputs.begin(), options.tensors.inputs.end(), isPictureName);
}

// A tensor does not tell in which order its colours are; they would be mixed up.
void checkPictureFormat(const ModelOptions& model) {
    for (const Parameter& parameter : model.parameters) {
        const auto* format = std::get_if<std::string>(&parameter.value);
        if (parameter.key == "image.input.format" && format != nullptr && *format != "nv12" &&
            *format != "rgb-interleaved" && *format != "rgb-planar") {
            throw UsageError(fmt::format(
                "a picture becomes an input of nv12, rgb-interleaved or rgb-planar, but image.input.format is {}",
                *format));
        }
    }
}

void checkRounds(const Options& options) {
    const MeasureOptions& measure = options.measure;
    const uint64_t most = kMaxRecordedRounds / measure.clients;
    if (measure.records() && options.jobs.rounds > most) {
        throw UsageError(fmt::format("-R {}: {} rounds can be kept at most{}", options.jobs.rounds, most,
                                     measure.clients > 1 ? " for each of so many clients" : ""));
    }
}

void checkDataset(const Options& options) {
    const MeasureOptions& measure = options.measure;
    const ValidateOptions& validate = options.validate;
    const TensorOptions& tensors = options.tensors;
    refuse({
        {validate.hasDataset() != !validate.truthFile.empty(),
         "--dataset and --truth belong together: the pictures, and what is on them"},
    });
    if (!validate.hasDataset()) {
        return;
    }
    refuse({
        {!tensors.inputs.empty(), "--dataset brings the inputs: no -i beside it"},
        {!tensors.outputs.empty(), "--dataset judges the outputs instead of writing them: no -o beside it"},
        {measure.records() || options.json,
         "--dataset counts right answers; --stats, --rate, --samples, --clients and --json measure jobs of one input"},
        {!validate.references.empty() || !validate.savedImage.empty() || validate.top.has_value(),
         "--dataset prints no single results: no --compare, --save-image or --top beside it"},
        {options.jobs.rounds != 1 || options.jobs.warmUpRounds > 0 || options.jobs.async,
         "--dataset runs one job a picture: no -R, -w or -q beside it"},
    });
}

}  // namespace

void addMeasureOptions(CLI::App& app, MeasureOptions& options) {
    OptionGroup group(app, "Measuring");
    group.flag("--stats", options.stats,
               "Print percentiles and a histogram of the rounds' times, the jobs a second, and where the time went in "
               "the service; with --json FILE also into a file");
    group.value("--rate", "FPS",
                "Start so many jobs a second, whether or not others are done; a job's time counts from when it was due",
                [&options](const std::string& text) { options.jobsPerSecond = parseReal(text, kMinRate, kMaxRate); });
    group.text("--samples", options.samplesFile, "CSV", "Write a line for each round: begin, end and duration in ms");
    group.number("--clients", options.clients,
                 "So many connections at once, each with its own model, buffers and -R rounds: statistics of each and "
                 "of all, and how fair the shares were",
                 kMaxClients, 1);
}

void addPictureOptions(CLI::App& app, PictureOptions& options) {
    OptionGroup group(app, "Pictures: -i photo.jpg or .png, for an input that is an image");
    group.value("--fit", "letterbox|stretch",
                "How a picture of another shape than the input gets into it: between black borders (default), or "
                "stretched",
                [&options](const std::string& text) {
                    if (text != "letterbox" && text != "stretch") {
                        throw UsageError(fmt::format("'{}' is neither letterbox nor stretch", text));
                    }
                    options.fit = text == "stretch" ? Fit::Stretch : Fit::Letterbox;
                });
    group.text("--picture-device", options.device, "NAME", "Device that scales and converts. Default cpu-proc");
    group.value("--mean", "NUMBER[,G,B]",
                "Where elements are not uint8, element = (pixel - mean) / scale. Default 127.5 for floating point, 128 "
                "for int8",
                [&options](const std::string& text) { options.mean = checkedChannels(text); });
    group.value("--scale", "NUMBER[,G,B]", "The same. Default 127.5 for floating point, 1 for int8",
                [&options](const std::string& text) { options.scale = checkedChannels(text); });
}

void addValidateOptions(CLI::App& app, ValidateOptions& options) {
    OptionGroup group(app, "Validating");
    group.texts("--compare", options.references, "FILE",
                "Compare the outputs with these, once per output in order; an empty name leaves one out. Exit status 1 "
                "where an element differs by more than the tolerance");
    group.value("--tolerance", "NUMBER", "Of --compare. Default 0",
                [&options](const std::string& text) { options.tolerance = parseReal(text, 0, 1e300); });
    group.text("--labels", options.labelsFile, "FILE",
               "Names of the classes, one a line: print the best ones of a classification");
    group.number("--top", options.top,
                 "How many of them. Default 5; without --labels classes are called by their numbers", UINT32_MAX, 1);
    group.text("--save-image", options.savedImage, "PNG", "Write the output that is an image as a picture");
    group.text("--dataset", options.datasetFolder, "FOLDER",
               "Run a classification on many pictures and count the right answers, the best one and the best five");
    group.text("--truth", options.truthFile, "FILE",
               "Of --dataset: a line for each picture, its file in the folder and its class (a number from 0, or a "
               "name of --labels)");
}

void checkMeasuring(const Options& options) {
    const MeasureOptions& measure = options.measure;
    const ValidateOptions& validate = options.validate;
    const TensorOptions& tensors = options.tensors;
    const bool works =
        measure.records() || !validate.references.empty() || validate.classifies() || !validate.savedImage.empty();
    const bool random =
        std::any_of(tensors.inputs.begin(), tensors.inputs.end(), [](const std::string& name) { return name.empty(); });
    const bool one = !validate.references.empty() || validate.classifies() || !validate.savedImage.empty();
    const PictureOptions& pictures = options.pictures;
    const bool pictured = pictures.fit != Fit::Letterbox || !pictures.mean.empty() || !pictures.scale.empty();
    refuse({
        {options.action != Action::Run && (works || validate.hasDataset()),
         "--stats, --rate, --samples, --clients, --compare, --labels, --top, --save-image and --dataset need a run"},
    });
    checkDataset(options);
    refuse({
        {works && tensors.inputs.empty() && !validate.hasDataset(),
         "measuring and validating needs jobs: give the inputs with -i"},
        {measure.hasRate() && options.jobs.async,
         "-q starts a job whenever there is room, --rate when it is due: choose one"},
        {measure.clients > 1 && options.model.isPublic,
         "--clients load a model each, which with --public would all stay"},
        {measure.clients > 1 && one,
         "--compare, --labels, --top and --save-image are about the result of one client: not with --clients"},
        {validate.tolerance.has_value() && validate.references.empty(), "--tolerance belongs to --compare"},
        {!validate.references.empty() && random && !tensors.randomSeed,
         "random inputs differ each time, and so do the outputs to --compare: give --random-seed"},
        {pictured && !usesPicture(options),
         "--fit, --mean and --scale are for pictures: -i with a .jpg or .png file, or --dataset"},
    });
    if (usesPicture(options)) {
        checkPictureFormat(options.model);
    }
    checkRounds(options);
}

}  // namespace larod::tools
