// SPDX-License-Identifier: Apache-2.0
// An output that has a score for each class.
#include "larod-client/classification.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <limits>
#include <numeric>
#include <system_error>

#include "larod-client/stamped_output.h"
#include "larod-client/text_table.h"
#include "larod-client/tool_error.h"
#include "larod-client/whole_file.h"

namespace larod::tools {

namespace {

constexpr double kSumTolerance = 0.1;

// `step` is that of the quantisation, 0 without one: each value may be off by half of it, and of a thousand classes
// most are rounded to 0.
bool areProbabilities(std::span<const double> values, double step) {
    const double sum = std::accumulate(values.begin(), values.end(), 0.0);
    const double tolerance = std::max(kSumTolerance, static_cast<double>(values.size()) * step / 2);
    return std::abs(sum - 1) <= tolerance &&
           std::all_of(values.begin(), values.end(), [](double value) { return value >= 0 && value <= 1; });
}

bool isFloat(larodTensorDataType type) {
    return type == LAROD_TENSOR_DATA_TYPE_FLOAT16 || type == LAROD_TENSOR_DATA_TYPE_FLOAT32 ||
           type == LAROD_TENSOR_DATA_TYPE_FLOAT64;
}

std::vector<double> realValues(std::span<const double> integers, double scale, double zeroPoint) {
    std::vector<double> result;
    result.reserve(integers.size());
    for (const double integer : integers) {
        result.push_back(scale * (integer - zeroPoint));
    }
    return result;
}

// The quantisation of the network's one output.
std::optional<Quantization> quantizationOf(const std::string& modelFile) {
    if (modelFile.empty()) {
        return std::nullopt;
    }
    const std::optional<FileTensors> tensors = readFileTensors(modelFile);
    return tensors && tensors->outputs.size() == 1 ? tensors->outputs.front().quantization : std::nullopt;
}

std::vector<double> softmax(std::span<const double> values) {
    const double most = *std::max_element(values.begin(), values.end());
    std::vector<double> result;
    result.reserve(values.size());
    for (const double value : values) {
        result.push_back(std::exp(value - most));
    }
    const double sum = std::accumulate(result.begin(), result.end(), 0.0);
    for (double& value : result) {
        value /= sum;
    }
    return result;
}

std::string trimmed(const std::string& text) {
    const size_t first = text.find_first_not_of(" \t");
    const size_t last = text.find_last_not_of(" \t");
    return first == std::string::npos ? "" : text.substr(first, last - first + 1);
}

}  // namespace

Scores scoresOf(const TensorElements& output, const std::optional<Quantization>& quantization) {
    Scores scores;
    scores.values = output.values();
    if (scores.values.empty()) {
        return scores;
    }
    const bool known = quantization && quantization->scales.size() == 1 && quantization->zeroPoints.size() == 1;
    if (isFloat(output.type) || known) {
        double step = 0;
        if (!isFloat(output.type)) {
            step = static_cast<double>(quantization->scales.front());
            scores.values = realValues(scores.values, step, static_cast<double>(quantization->zeroPoints.front()));
        }
        scores.meaning = "probability";
        if (!areProbabilities(scores.values, step)) {
            scores.values = softmax(scores.values);
            scores.meaning = "softmax of the output";
        }
        return scores;
    }
    // How probabilities are usually quantised.
    constexpr double kUsualStep = 1.0 / 256;
    const double zeroPoint = output.type == LAROD_TENSOR_DATA_TYPE_INT8 ? -128 : 0;
    std::vector<double> usual = realValues(scores.values, kUsualStep, zeroPoint);
    if (elementSize(output.type) == 1 && areProbabilities(usual, kUsualStep)) {
        scores.values = std::move(usual);
        scores.meaning = "probability, taking the quantisation for 1/256";
    } else {
        scores.meaning = "quantised value, whose scale is not known";
    }
    return scores;
}

std::vector<size_t> greatest(std::span<const double> values, size_t count) {
    std::vector<size_t> places(values.size());
    std::iota(places.begin(), places.end(), size_t{0});
    const size_t wanted = std::min(count, places.size());
    // NaN is less than anything, or the order would be none.
    const auto key = [&](size_t place) {
        return std::isnan(values[place]) ? -std::numeric_limits<double>::infinity() : values[place];
    };
    std::partial_sort(places.begin(), places.begin() + static_cast<std::ptrdiff_t>(wanted), places.end(),
                      [&](size_t a, size_t b) { return key(a) != key(b) ? key(a) > key(b) : a < b; });
    places.resize(wanted);
    return places;
}

Labels::Labels(const std::string& fileName) : fileName_(fileName) {
    for (const std::string& line : readLines(fileName)) {
        names_.push_back(trimmed(line));
    }
    while (!names_.empty() && names_.back().empty()) {
        names_.pop_back();
    }
    if (names_.empty()) {
        throw ToolError(EINVAL, fmt::format("The labels '{}' have no line", fileName));
    }
}

void Labels::checkCount(size_t classes) const {
    if (!names_.empty() && names_.size() != classes) {
        throw ToolError(EINVAL, fmt::format("The labels '{}' have {} line(s), but the output has {} classes", fileName_,
                                            names_.size(), classes));
    }
}

std::string Labels::nameOf(size_t index) const {
    return index < names_.size() ? names_[index] : fmt::format("class {}", index);
}

size_t Labels::classOf(const std::string& label) const {
    // A name may be a number, too.
    if (const auto found = std::find(names_.begin(), names_.end(), label); found != names_.end()) {
        if (const auto other = std::find(found + 1, names_.end(), label); other != names_.end()) {
            throw ToolError(EINVAL, fmt::format("'{}' is the name of the classes {} and {} of '{}': give the number",
                                                label, found - names_.begin(), other - names_.begin(), fileName_));
        }
        return static_cast<size_t>(found - names_.begin());
    }
    size_t index = 0;
    const char* const end = label.data() + label.size();
    const auto [rest, error] = std::from_chars(label.data(), end, index);
    if (error == std::errc{} && rest == end) {
        return index;
    }
    throw ToolError(EINVAL,
                    names_.empty()
                        ? fmt::format("'{}' is not the number of a class; names need --labels", label)
                        : fmt::format("'{}' is neither a name of '{}' nor the number of a class", label, fileName_));
}

TensorElements readElements(const TensorBuffers& outputs, size_t index) {
    TensorElements elements;
    outputs.read(index,
                 [&](std::span<const std::byte> data) { elements = elementsOf(outputs.tensors()[index], data); });
    return elements;
}

void checkClassification(const TensorBuffers& outputs, const Labels& labels) {
    if (outputs.size() != 1) {
        throw ToolError(EINVAL, fmt::format("A classification has one output, but the model has {}", outputs.size()));
    }
    const std::vector<std::byte> data(outputs.sizeBytes(0));  // any will do
    labels.checkCount(elementsOf(outputs.tensors()[0], data).count());
}

void printClassification(const TensorBuffers& outputs, const std::string& modelFile, const Labels& labels,
                         size_t count) {
    const Scores scores = scoresOf(readElements(outputs, 0), quantizationOf(modelFile));
    printStamped(fmt::format("Classification ({}):", scores.meaning));
    TextTable table({{"Score", TextTable::Align::Right}, {"Class", TextTable::Align::Right}, {"Label"}});
    for (const size_t place : greatest(scores.values, count)) {
        const double value = scores.values[place];
        table.addRow({value == std::floor(value) && std::abs(value) > 1 ? fmt::format("{:.0f}", value)
                                                                        : fmt::format("{:.4f}", value),
                      fmt::format("{}", place), printable(labels.nameOf(place))});
    }
    printPlain(table.text());
}

}  // namespace larod::tools
