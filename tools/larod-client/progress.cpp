// SPDX-License-Identifier: Apache-2.0
// A line on the terminal that shows how far a run is.
#include "larod-client/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "larod-client/terminal_style.h"

namespace larod::tools {

namespace {

// Nobody reads more often.
constexpr std::chrono::milliseconds kDrawInterval{100};

constexpr size_t kLeastBar = 12;  // columns; narrower terminals get none
constexpr size_t kMostBar = 42;

std::string timeText(double seconds) {
    const auto whole = static_cast<uint64_t>(std::min(seconds + 0.5, 1e9));
    if (whole < 3600) {
        return fmt::format("{}:{:02}", whole / 60, whole % 60);
    }
    return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

std::string bar(double share, size_t columns) {
    const size_t inside = columns - 2;
    const auto filled = static_cast<size_t>(share * static_cast<double>(inside));
    std::string text(filled, '=');
    text += filled < inside ? ">" : "";
    text.resize(inside, ' ');
    return "[" + text + "]";
}

size_t terminalWidth() {
    winsize size{};
    return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

std::string progressLine(uint64_t done, uint64_t total, std::chrono::duration<double> elapsed, size_t width) {
    const double rate = static_cast<double>(done) / elapsed.count();
    if (total == 0) {
        return fmt::format("{}  {:.1f} jobs/s  {}", done, rate, timeText(elapsed.count()));
    }
    const double share = static_cast<double>(done) / static_cast<double>(total);
    const double left = done == 0 ? 0 : static_cast<double>(total - done) / rate;
    const std::string numbers = fmt::format("{:3} %  {}/{}  {:.1f} jobs/s  {} left", static_cast<int>(share * 100),
                                            done, total, rate, done == 0 ? "?" : timeText(left));
    // One column stays free, since some terminals go to the next line behind the last one.
    const size_t room = width > numbers.size() + 3 ? width - numbers.size() - 3 : 0;
    return room < kLeastBar ? numbers : bar(share, std::min(room, kMostBar)) + "  " + numbers;
}

Progress::~Progress() {
    if (drawn_) {
        std::fwrite(kClearLine.data(), 1, kClearLine.size(), stderr);
    }
}

void Progress::onJobEnd(Clock::time_point now) noexcept {
    ++done_;
    // The jobs of one client don't wait while those of another draw.
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (lock && now >= nextDraw_) {
        draw(now);
    }
}

void Progress::draw(Clock::time_point now) {
    const std::string line = progressLine(done_, total_, now - begin_, terminalWidth());
    const std::string text = std::string(kClearLine) + (takesColours(STDERR_FILENO) ? green(line) : line);
    std::fwrite(text.data(), 1, text.size(), stderr);
    nextDraw_ = now + kDrawInterval;
    drawn_ = true;
}

void ProgressObserver::onJobEnd(Clock::time_point begin, Clock::time_point end) noexcept {
    if (progress_ != nullptr) {
        progress_->onJobEnd(end);
    }
    if (next_ != nullptr) {
        next_->onJobEnd(begin, end);
    }
}

std::unique_ptr<Progress> progressAtTerminal(uint64_t total) {
    return isTerminal(STDERR_FILENO) ? std::make_unique<Progress>(total) : nullptr;
}

}  // namespace larod::tools
