// SPDX-License-Identifier: Apache-2.0
// Where the lines of interactive mode come from.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "larod-client/completion.h"
#include "larod-client/history_file.h"

namespace larod::tools {

// Thread: one.
class LineSource {
  public:
    virtual ~LineSource() = default;

    enum class Prompt { Command, Continuation };

    // The next line without its end; nothing at the end of the input. "" for one that was given up (Ctrl-C), and then
    // isGivenUp(): what came before in the same command is given up, too.
    [[nodiscard]] virtual std::optional<std::string> next(Prompt prompt) = 0;
    [[nodiscard]] virtual bool isGivenUp() const { return false; }

    // A command as a whole, to be found again.
    virtual void remember(const std::string& command) = 0;
};

// stdin as it is.
[[nodiscard]] std::unique_ptr<LineSource> makePlainLines();

using Completer = std::function<Completions(std::string_view lineToCursor)>;

// stdin and stdout are a terminal: a prompt, editing, history, completion by Tab. Not where hasLineEditor() is false.
[[nodiscard]] std::unique_ptr<LineSource> makeLineEditor(HistoryFile history, Completer completer);

// Whether the tool was built with a library for that. Without it there is no interactive mode.
[[nodiscard]] bool hasLineEditor() noexcept;

}  // namespace larod::tools
