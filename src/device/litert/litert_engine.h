// SPDX-License-Identifier: Apache-2.0
// The library with its environment: compiles models.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "device/litert/litert_api.h"

namespace larod::device::litert {

// The library's text in one line: it ends lines as it likes. At most 4 KB.
[[nodiscard]] std::string oneLine(std::string_view text);

// Made in the spawner; its environment works in the sessions that are forked later.
class Engine {
  public:
    Engine();  // throws as Api does
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    [[nodiscard]] const Api& api() const noexcept { return api_; }

    // Verifies the flatbuffer and opens it; `file` stays where it is as long as the model. Throws
    // Error(LAROD_ERROR_LOAD_MODEL).
    [[nodiscard]] Model openModel(std::span<const std::byte> file) const;

    // Throws Error(LAROD_ERROR_LOAD_MODEL) with the library's own text.
    [[nodiscard]] CompiledModel compile(const Model& model, unsigned threads) const;

    // What the library has to say about the last failure of this compiled model, in one paragraph; and forgets it.
    [[nodiscard]] std::string takeErrors(const CompiledModel& compiled) const;

  private:
    [[nodiscard]] int tryCompile(const Model& model, unsigned threads, int errorReporterMode,
                                 CompiledModel& compiled) const;

    const Api api_;
    Environment environment_{api_};
};

}  // namespace larod::device::litert
