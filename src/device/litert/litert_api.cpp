// SPDX-License-Identifier: Apache-2.0
#include "device/litert/litert_api.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <cstdlib>
#include <vector>

#include "base/error.h"

namespace larod::device::litert {
namespace {

// The places where the library may be, the most specific first.
std::vector<std::string> candidates() {
    std::vector<std::string> paths;
    if (const char* chosen = ::secure_getenv("LAROD_LITERT_LIBRARY"); chosen != nullptr && *chosen != '\0') {
        return {chosen};
    }
    for (const char* path : {LAROD_LITERT_INSTALLED, LAROD_LITERT_LIBRARY}) {
        if (*path != '\0') {
            paths.emplace_back(path);
        }
    }
    paths.emplace_back("libLiteRt.so");
    return paths;
}

}  // namespace

Api::Api() {
    std::string reasons;
    void* library = nullptr;
    for (const std::string& path : candidates()) {
        library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
        if (library != nullptr) {
            path_ = path;
            break;
        }
        reasons += fmt::format("{}{}", reasons.empty() ? "" : "; ", ::dlerror());
    }
    if (library == nullptr) {
        throw Error(LAROD_ERROR_LOAD_MODEL,
                    "libLiteRt.so can't be loaded. It is in the Python package ai-edge-litert 2.3.0 (scripts/setup "
                    "fetches it); put it "
                    "into {}, or name it in the environment variable LAROD_LITERT_LIBRARY. Tried: {}",
                    LAROD_LITERT_INSTALLED, reasons);
    }
#define LAROD_LITERT_LOAD(result, name, parameters)                                                                \
    name = reinterpret_cast<result(*) parameters>(::dlsym(library, "LiteRt" #name));                               \
    if (name == nullptr) {                                                                                         \
        throw Error(LAROD_ERROR_LOAD_MODEL,                                                                        \
                    "{} has no function LiteRt" #name "; it is not of version 2.3 (ai-edge-litert 2.3.0)", path_); \
    }
    LAROD_LITERT_FUNCTIONS(LAROD_LITERT_LOAD)
#undef LAROD_LITERT_LOAD
}

std::string statusText(int status) {
    struct Meaning {
        int status;
        const char* text;
    };
    static constexpr Meaning kMeanings[] = {
        {1, "invalid argument"},
        {2, "out of memory"},
        {3, "runtime failure"},
        {4, "an input is missing"},
        {5, "not supported"},
        {6, "not found"},
        {7, "timeout"},
        {8, "wrong version"},
        {100, "cancelled"},
        {500, "file error"},
        {501, "not a valid .tflite file"},
        {502, "a library is missing"},
        {504, "compilation failed"},
        {1000, "index out of range"},
        {1001, "wrong type"},
    };
    for (const auto& [value, text] : kMeanings) {
        if (value == status) {
            return text;
        }
    }
    return fmt::format("status {}", status);
}

}  // namespace larod::device::litert
