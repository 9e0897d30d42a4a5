// SPDX-License-Identifier: Apache-2.0
#include "device/litert/litert_engine.h"

#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <new>

#include "base/error.h"
#include "device/litert/stderr_capture.h"

namespace larod::device::litert {
namespace {

constexpr int64_t kLogErrors = 3;

// Where the library's text goes (litert.md 2.5): kept for takeErrors(), or written to stderr, which is the only place
// for failed compilations.
constexpr int kKeepErrors = 2;
constexpr int kWriteErrors = 1;

constexpr size_t kMaxReason = 4096;

}  // namespace

std::string oneLine(std::string_view text) {
    std::string line;
    for (const char c : text.substr(0, kMaxReason)) {
        const bool space = c == '\n' || c == '\r' || c == '\t' || c == ' ';
        if (!space) {
            line += c;
        } else if (!line.empty() && line.back() != ' ') {
            line += ' ';
        }
    }
    while (!line.empty() && line.back() == ' ') {
        line.pop_back();
    }
    return line;
}

namespace {

void addPayload(const Api& api, const Options& options, const char* id, const std::string& text) {
    char* payload = ::strdup(text.c_str());
    if (payload == nullptr) {
        throw std::bad_alloc();
    }
    Handle opaque = nullptr;
    if (api.CreateOpaqueOptions(id, payload, ::free, &opaque) != kOk ||
        api.AddOpaqueOptions(options.get(), opaque) != kOk) {
        throw Error(LAROD_ERROR_LOAD_MODEL, "LiteRT does not take the options '{}'", id);
    }
}

}  // namespace

Engine::Engine() {
    const std::array<EnvironmentOption, 2> options = {{
        {kAutoRegisterAccelerators, {kAnyInt, {kAcceleratorCpu}}},  // no GPU or NPU library is looked for
        {kMinLoggerSeverity, {kAnyInt, {kLogErrors}}},
    }};
    const int status = api_.CreateEnvironment(static_cast<int>(options.size()), options.data(), environment_.out());
    if (status != kOk) {
        throw Error(LAROD_ERROR_LOAD_MODEL, "LiteRT makes no environment: {}", statusText(status));
    }
}

Model Engine::openModel(std::span<const std::byte> file) const {
    Model model(api_);
    StderrCapture capture;
    const int status = api_.CreateModelFromBuffer(environment_.get(), file.data(), file.size(), model.out());
    if (status != kOk) {
        const std::string text = oneLine(capture.finish());
        throw Error(LAROD_ERROR_LOAD_MODEL,
                    "cpu-tflite can't read the model ({} bytes): {}; expected a complete .tflite file{}{}", file.size(),
                    statusText(status), text.empty() ? "" : ": ", text);
    }
    return model;
}

int Engine::tryCompile(const Model& model, unsigned threads, int errorReporterMode, CompiledModel& compiled) const {
    Options options(api_);
    if (api_.CreateOptions(options.out()) != kOk ||
        api_.SetOptionsHardwareAccelerators(options.get(), kAcceleratorCpu) != kOk) {
        throw Error(LAROD_ERROR_LOAD_MODEL, "LiteRT makes no options");
    }
    addPayload(api_, options, "xnnpack", fmt::format("num_threads = {}\n", threads));
    addPayload(api_, options, "runtime_options_string", fmt::format("error_reporter_mode = {}\n", errorReporterMode));
    return api_.CreateCompiledModel(environment_.get(), model.get(), options.get(), compiled.out());
}

CompiledModel Engine::compile(const Model& model, unsigned threads) const {
    CompiledModel compiled(api_);
    int status = kOk;
    {
        // Also keeps the library's chatter about the delegate that it made out of the service's log.
        const StderrCapture quiet;
        status = tryCompile(model, threads, kKeepErrors, compiled);
    }
    if (status == kOk) {
        return compiled;
    }
    // The same once more, for its text.
    StderrCapture capture;
    CompiledModel ignored(api_);
    [[maybe_unused]] const int again = tryCompile(model, threads, kWriteErrors, ignored);
    const std::string text = oneLine(capture.finish());
    throw Error(LAROD_ERROR_LOAD_MODEL, "cpu-tflite can't compile the model: {}{}{}", statusText(status),
                text.empty() ? "" : ": ", text);
}

std::string Engine::takeErrors(const CompiledModel& compiled) const {
    char* text = nullptr;
    std::string result;
    if (api_.CompiledModelGetErrorMessages(compiled.get(), &text) == kOk && text != nullptr) {
        result = oneLine(text);
        ::free(text);
    }
    api_.CompiledModelClearErrors(compiled.get());
    return result;
}

}  // namespace larod::device::litert
