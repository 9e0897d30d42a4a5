// SPDX-License-Identifier: Apache-2.0
// The lines of the tool: a time stamp, a blank, the text.
#include "larod-client/stamped_output.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <string>

#include "larod-client/terminal_style.h"
#include "larod-client/tool_error.h"

namespace larod::tools {

namespace {

std::string timeStamp() {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    tm local{};
    localtime_r(&now.tv_sec, &local);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}", local.tm_year + 1900, local.tm_mon + 1,
                       local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec, now.tv_nsec / 1'000'000);
}

void print(FILE* stream, std::string_view text) {
    if (std::fwrite(text.data(), 1, text.size(), stream) != text.size() || std::fflush(stream) != 0) {
        throw errnoError("Could not write to stdout");
    }
}

}  // namespace

void printStamped(std::string_view text) {
    print(stdout, fmt::format("{} {}\n", timeStamp(), text));
}

void printPlain(std::string_view text) {
    print(stdout, text);
}

void printNotice(std::string_view text) {
    // A progress line may stand there.
    const std::string line = fmt::format("{}{} {}\n", isTerminal(STDERR_FILENO) ? kClearLine : "", timeStamp(), text);
    static_cast<void>(std::fwrite(line.data(), 1, line.size(), stderr));  // there is nowhere to complain
}

void printError(std::string_view text) {
    std::string line(text);
    std::replace(line.begin(), line.end(), '\n', ' ');
    printNotice(fmt::format("{} {}", takesColours(STDERR_FILENO) ? red("ERROR:") : "ERROR:", line));
}

}  // namespace larod::tools
