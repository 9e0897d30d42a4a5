// SPDX-License-Identifier: Apache-2.0
#include "device/debug/debug_params.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include "base/checked.h"
#include "base/error.h"
#include "base/log.h"

namespace larod::device::debug {

namespace {

constexpr int kCode = LAROD_ERROR_LOAD_MODEL;
constexpr std::string_view kPrefix = "debug.";
constexpr std::string_view kDelayForm =
    "microseconds as an integer, 'constant:TIME', 'uniform:MIN:MAX' or 'exponential:MEAN'";
constexpr std::string_view kActionForm = "'fail', 'fail:CODE', 'crash', 'abort' or 'hang'";

[[noreturn]] void throwForm(std::string_view key, std::string_view expected, std::string_view given) {
    throw Error(kCode, "map key '{}': expected {}, got '{}'", key, expected, given);
}

// The whole of `text` as a decimal number, or nothing.
template <typename T>
std::optional<T> parseNumber(std::string_view text) {
    T value{};
    const char* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc{} || rest != end) {
        return std::nullopt;
    }
    return value;
}

// What stands before the first `separator`; the rest stays in `text`. Nothing where `text` was used up before.
std::optional<std::string_view> takePart(std::optional<std::string_view>& text, char separator) {
    if (!text) {
        return std::nullopt;
    }
    const size_t end = text->find(separator);
    const std::string_view part = text->substr(0, end);
    text = end == std::string_view::npos ? std::nullopt : std::optional(text->substr(end + 1));
    return part;
}

template <typename T>
const T& require(std::string_view key, const ParamValue& value) {
    const T* typed = std::get_if<T>(&value);
    if (typed == nullptr) {
        throw Error(kCode, "map key '{}': expected type {}, but the value is of type {}", key,
                    paramTypeName(ParamValue(T{})), paramTypeName(value));
    }
    return *typed;
}

uint64_t requireInteger(std::string_view key, const ParamValue& value, uint64_t maximum) {
    const auto given = require<int64_t>(key, value);
    if (!std::in_range<uint64_t>(given) || static_cast<uint64_t>(given) > maximum) {
        throw Error(kCode, "map key '{}': expected an integer from 0 to {}, got {}", key, maximum, given);
    }
    return static_cast<uint64_t>(given);
}

larodTensorDataType parseType(std::string_view key, std::string_view text) {
    for (int type = LAROD_TENSOR_DATA_TYPE_UNSPECIFIED; type < LAROD_TENSOR_DATA_TYPE_MAX; ++type) {
        const auto candidate = static_cast<larodTensorDataType>(type);
        if (dataTypeName(candidate) == text) {
            return candidate;
        }
    }
    throwForm(key, "a data type such as 'uint8' or 'float32' before the colon", text);
}

TensorSpec parseTensor(std::string_view key, std::string_view text) {
    std::optional<std::string_view> rest = text;
    TensorSpec spec;
    spec.dataType = parseType(key, *takePart(rest, ':'));
    while (const auto part = takePart(rest, 'x')) {
        const auto extent = parseNumber<size_t>(*part);
        if (!extent || *extent == 0 || spec.dims.len == LAROD_TENSOR_MAX_LEN) {
            throwForm(key, "1 to 12 extents of at least 1, like 'uint8:1x224x224x3'", text);
        }
        spec.dims.dims[spec.dims.len++] = *extent;
    }
    if (spec.dims.len == 0) {
        throwForm(key, "'TYPE:DIMS', like 'uint8:1x224x224x3'", text);
    }
    const auto pitches = unpaddedPitches(spec.dims, spec.dataType);
    if (!pitches || pitches->pitches[0] > kMaxTensorBytes) {
        throw Error(kCode, "map key '{}': expected a tensor of at most {} bytes, got '{}'", key, kMaxTensorBytes, text);
    }
    spec.pitches = *pitches;
    spec.layout = spec.dims.len == 4 ? LAROD_TENSOR_LAYOUT_NHWC : LAROD_TENSOR_LAYOUT_UNSPECIFIED;
    return spec;
}

Action parseAction(std::string_view key, std::string_view text, int defaultCode) {
    if (text == "crash") {
        return {Action::Kind::Crash, 0};
    }
    if (text == "abort") {
        return {Action::Kind::Abort, 0};
    }
    if (text == "hang") {
        return {Action::Kind::Hang, 0};
    }
    if (text == "fail") {
        return {Action::Kind::Fail, defaultCode};
    }
    constexpr std::string_view kFail = "fail:";
    if (!text.starts_with(kFail)) {
        throwForm(key, kActionForm, text);
    }
    const auto code = parseNumber<int>(text.substr(kFail.size()));
    if (!code || *code == 0 || *code < LAROD_ERROR_POWER_NOT_AVAILABLE || *code > LAROD_ERROR_MAX_ERRNO) {
        throwForm(key, "an error code from -15 to -1 or an errno from 1 to 1024 after 'fail:'", text);
    }
    return {Action::Kind::Fail, *code};
}

DelayDistribution parseDelay(std::string_view key, const ParamValue& value) {
    if (std::holds_alternative<int64_t>(value)) {
        return {DelayDistribution::Kind::Constant, requireInteger(key, value, kMaxDelayUs), 0};
    }
    const auto* text = std::get_if<std::string>(&value);
    if (text == nullptr) {
        throw Error(kCode, "map key '{}': expected type integer or string, but the value is of type {}", key,
                    paramTypeName(value));
    }
    std::optional<std::string_view> rest = std::string_view(*text);
    const std::string_view name = *takePart(rest, ':');
    DelayDistribution delay;
    if (name == "uniform") {
        delay.kind = DelayDistribution::Kind::Uniform;
    } else if (name == "exponential") {
        delay.kind = DelayDistribution::Kind::Exponential;
    } else if (name != "constant") {
        throwForm(key, kDelayForm, *text);
    }
    const auto takeTime = [&] {
        const auto part = takePart(rest, ':');
        const auto time = part ? parseNumber<uint64_t>(*part) : std::nullopt;
        if (!time || *time > kMaxDelayUs) {
            throwForm(key, kDelayForm, *text);
        }
        return *time;
    };
    delay.firstUs = takeTime();
    if (delay.kind == DelayDistribution::Kind::Uniform) {
        delay.secondUs = takeTime();
    }
    if (rest || (delay.kind == DelayDistribution::Kind::Uniform && delay.secondUs < delay.firstUs)) {
        throwForm(key, kDelayForm, *text);
    }
    return delay;
}

// The tensors of one direction while their keys are read.
struct TensorList {
    std::string keyPrefix;  // "debug.input."
    std::string countKey;   // "debug.inputs"
    std::string_view name;  // "input"
    std::vector<std::pair<size_t, TensorSpec>> described;
    std::optional<size_t> count;

    explicit TensorList(Direction direction)
        : keyPrefix(fmt::format("debug.{}.", directionName(direction))),
          countKey(fmt::format("debug.{}s", directionName(direction))),
          name(directionName(direction)) {}

    // Whether the key is one of this direction's, and taken in.
    bool take(std::string_view key, const ParamValue& value) {
        if (key == countKey) {
            count = requireInteger(key, value, kMaxTensors);
            return true;
        }
        if (!key.starts_with(keyPrefix)) {
            return false;
        }
        const std::string_view number = key.substr(keyPrefix.size());
        const auto index = parseNumber<size_t>(number);
        if (!index || *index >= kMaxTensors || fmt::format("{}", *index) != number) {
            throw Error(kCode, "map key '{}': expected an index from 0 to {} after '{}'", key, kMaxTensors - 1,
                        keyPrefix);
        }
        described.emplace_back(*index, parseTensor(key, require<std::string>(key, value)));
        return true;
    }

    std::vector<TensorSpec> finish() const {
        size_t number = count.value_or(1);
        for (const auto& [index, spec] : described) {
            if (count && index >= *count) {
                throw Error(kCode, "map key '{}{}': expected an index below {}, which is the value of '{}'", keyPrefix,
                            index, *count, countKey);
            }
            number = std::max(number, index + 1);
        }
        std::vector<TensorSpec> specs(number, parseTensor(keyPrefix, "uint8:1"));
        for (const auto& [index, spec] : described) {
            specs[index] = spec;
        }
        for (size_t i = 0; i < specs.size(); ++i) {
            specs[i].name = fmt::format("{}{}", name, i);
        }
        return specs;
    }
};

JobAction parseJobAction(std::string_view key, std::string_view number, const ParamValue& value) {
    const auto job = parseNumber<uint64_t>(number);
    if (!job || *job == 0 || fmt::format("{}", *job) != number) {
        throw Error(kCode, "map key '{}': expected a job number from 1 after 'debug.job.'", key);
    }
    return {*job, parseAction(key, require<std::string>(key, value), LAROD_ERROR_JOB)};
}

}  // namespace

DebugParams parseDebugParams(const ParamMap& params) {
    constexpr std::string_view kJobPrefix = "debug.job.";
    constexpr uint64_t kAnyCount = INT64_MAX;
    TensorList inputs(Direction::Input);
    TensorList outputs(Direction::Output);
    DebugParams result;
    for (const auto& [key, value] : params.entries()) {
        if (!key.starts_with(kPrefix)) {
            log::info("debug-device: load parameter '{}' is unknown and ignored", key);
        } else if (inputs.take(key, value) || outputs.take(key, value)) {
            continue;
        } else if (key.starts_with(kJobPrefix)) {
            result.jobActions.push_back(parseJobAction(key, std::string_view(key).substr(kJobPrefix.size()), value));
        } else if (key == "debug.echo") {
            result.echo = requireInteger(key, value, 1) == 1;
        } else if (key == "debug.delay") {
            result.delay = parseDelay(key, value);
        } else if (key == "debug.seed") {
            result.seed = static_cast<uint64_t>(require<int64_t>(key, value));
        } else if (key == "debug.power-refusals") {
            result.powerRefusals = requireInteger(key, value, kAnyCount);
        } else if (key == "debug.load") {
            result.loadAction = parseAction(key, require<std::string>(key, value), LAROD_ERROR_LOAD_MODEL);
        } else if (key == "debug.load.power-refusals") {
            result.loadPowerRefusals = requireInteger(key, value, kAnyCount);
        } else {
            throw Error(kCode,
                        "unknown load parameter '{}': expected debug.input.N, debug.output.N, debug.inputs, "
                        "debug.outputs, debug.echo, debug.delay, debug.seed, debug.job.N, debug.power-refusals, "
                        "debug.load or debug.load.power-refusals",
                        key);
        }
    }
    result.inputs = inputs.finish();
    result.outputs = outputs.finish();
    std::sort(result.jobActions.begin(), result.jobActions.end(),
              [](const JobAction& a, const JobAction& b) { return a.job < b.job; });
    if (result.echo && result.inputs.empty()) {
        throw Error(kCode, "map key 'debug.echo': expected a model with an input to echo, got one without inputs");
    }
    return result;
}

}  // namespace larod::device::debug
