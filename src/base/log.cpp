// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <fcntl.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <exception>
#include <memory>
#include <mutex>
#include <string_view>

#include "base/error.h"
#include "base/unique_fd.h"

namespace larod {
namespace {

std::string escapeControls(std::string_view text) {
    std::string safe;
    safe.reserve(text.size() + 1);
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7f) {
            safe += fmt::format("\\x{:02x}", byte);
        } else {
            safe += c;
        }
    }
    return safe;
}

// Writes each line with one write(2) to a descriptor of its own. spdlog's stderr sink would share descriptor 2.
class FdSink final : public spdlog::sinks::base_sink<std::mutex> {
  public:
    explicit FdSink(UniqueFd fd) : fd_(std::move(fd)) {}
    [[nodiscard]] int fd() const noexcept { return fd_.get(); }

  protected:
    void sink_it_(const spdlog::details::log_msg& message) override {
        spdlog::memory_buf_t line;
        formatter_->format(message, line);
        // Names and keys of clients stand in lines: nothing in them may look like another line, or steer a terminal.
        const std::string safe = escapeControls({line.data(), line.size() - 1}) + '\n';
        // A log that can't be written is lost: there is nowhere to say so.
        [[maybe_unused]] const ssize_t written = ::write(fd_.get(), safe.data(), safe.size());
    }
    void flush_() override {}

  private:
    UniqueFd fd_;
};

int currentFd = -1;

spdlog::level::level_enum levelOf(log::Level level) noexcept {
    switch (level) {
        case log::Level::Trace:
            return spdlog::level::trace;
        case log::Level::Debug:
            return spdlog::level::debug;
        case log::Level::Info:
            return spdlog::level::info;
        case log::Level::Warn:
            return spdlog::level::warn;
        case log::Level::Error:
            return spdlog::level::err;
        case log::Level::Critical:
            break;
    }
    return spdlog::level::critical;
}

void setPattern(const std::string& processName) {
    spdlog::set_pattern(fmt::format("%Y-%m-%dT%H:%M:%S.%e {}[{}] %l: %v", processName, ::getpid()));
}

}  // namespace

void initLog(const std::string& level, const std::string& processName) {
    const auto parsed = spdlog::level::from_str(level);
    if (parsed == spdlog::level::off && level != "off") {
        throw Error(EINVAL, "log level '{}' is unknown; use trace, debug, info, warn, error or off", level);
    }
    // Lines carry the local time. The time zone is read from its file now: later, a sandbox may not allow it.
    ::tzset();
    // Above 2, so that it survives a later redirection of the standard descriptors.
    UniqueFd fd(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3));
    if (!fd) {
        fd.reset(::open("/dev/null", O_WRONLY | O_CLOEXEC));
    }
    currentFd = fd.get();
    auto logger = std::make_shared<spdlog::logger>("larod", std::make_shared<FdSink>(std::move(fd)));
    logger->set_level(parsed);
    spdlog::set_default_logger(std::move(logger));
    setPattern(processName);
}

void renameLog(const std::string& processName) {
    setPattern(processName);
}

int logFd() noexcept {
    return currentFd;
}

namespace log {

bool isEnabled(Level level) noexcept {
    return spdlog::should_log(levelOf(level));
}

void write(Level level, fmt::string_view format, fmt::format_args arguments) noexcept {
    if (!isEnabled(level)) {
        return;
    }
    try {
        const std::string text = fmt::vformat(format, arguments);
        spdlog::default_logger_raw()->log(levelOf(level), spdlog::string_view_t(text));
    } catch (const std::exception&) {
        // No memory for the line.
    }
}

}  // namespace log
}  // namespace larod
