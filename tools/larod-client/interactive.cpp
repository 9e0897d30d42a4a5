// SPDX-License-Identifier: Apache-2.0
// Interactive mode: each line of the input is a command line of the tool.
#include "larod-client/interactive.h"

#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <optional>
#include <string>
#include <vector>

#include "larod-client/command_words.h"
#include "larod-client/completion.h"
#include "larod-client/device_table.h"
#include "larod-client/failure.h"
#include "larod-client/line_source.h"
#include "larod-client/options.h"
#include "larod-client/session.h"
#include "larod-client/stamped_output.h"
#include "larod-client/stop_signal.h"
#include "larod-client/tool_error.h"

namespace larod::tools {

namespace {

// Lines that a backslash joins are one.
std::optional<std::string> nextCommand(LineSource& lines) {
    std::string command;
    auto prompt = LineSource::Prompt::Command;
    while (true) {
        const std::optional<std::string> line = lines.next(prompt);
        if (!line) {
            return prompt == LineSource::Prompt::Command ? std::nullopt : std::optional(command);
        }
        if (lines.isGivenUp()) {
            return std::string();
        }
        command += *line;
        if (!isContinued(*line)) {
            return command;
        }
        command.pop_back();
        prompt = LineSource::Prompt::Continuation;
    }
}

std::vector<std::string> argumentsOf(const std::string& command) {
    CommandWords words = splitWords(command);
    if (words.openQuote != 0) {
        throw UsageError(fmt::format("a {} is not closed", words.openQuote));
    }
    // Who pastes a command line pastes the name of the tool, too.
    if (!words.words.empty() && words.words.front() == "larod-client") {
        words.words.erase(words.words.begin());
    }
    return words.words;
}

void execute(Session& session, const std::vector<std::string>& arguments) {
    const CommandLine commandLine = parseCommandLine(arguments);
    if (const auto* text = std::get_if<std::string>(&commandLine)) {
        printPlain(*text);
        return;
    }
    const Options& options = std::get<Options>(commandLine);
    if (options.action == Action::Interact) {
        throw UsageError("this is interactive mode already");
    }
    session.execute(options);
}

// Whether it worked. At a terminal Ctrl-C ends what the line does.
bool executeLine(Session& session, const std::string& command, bool atTerminal) {
    std::optional<StopSignals> stopSignals;
    if (atTerminal) {
        stopSignals.emplace();
    }
    try {
        const std::vector<std::string> arguments = argumentsOf(command);
        if (!arguments.empty()) {
            execute(session, arguments);
        }
        return true;
    } catch (...) {
        reportFailure();
        return false;
    }
}

}  // namespace

bool runInteractive() {
    const bool atTerminal = ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1;
    Session session(atTerminal ? Session::Kind::Terminal : Session::Kind::Script);
    const std::vector<std::string> devices = deviceNames(session.connect(false));
    printStamped("larod-client " OPENLAROD_VERSION_STRING ". Use Ctrl-D to exit.");

    if (atTerminal) {
        // One that comes late, when the jobs that it was to end are done, ends nothing else.
        std::signal(SIGINT, SIG_IGN);
    }
    const auto lines = atTerminal ? makeLineEditor(HistoryFile(historyPath()),
                                                   [names = optionNames(), devices](std::string_view line) {
                                                       return complete(line, names, devices);
                                                   })
                                  : makePlainLines();
    bool worked = true;
    while (const std::optional<std::string> command = nextCommand(*lines)) {
        if (splitWords(*command).words.empty()) {
            continue;
        }
        lines->remember(command->substr(0, command->find_last_not_of(" \t\r") + 1));
        worked = executeLine(session, *command, atTerminal) && worked;
    }
    return worked || atTerminal;
}

}  // namespace larod::tools
