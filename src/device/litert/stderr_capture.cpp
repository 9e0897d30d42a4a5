// SPDX-License-Identifier: Apache-2.0
#include "device/litert/stderr_capture.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace larod::device::litert {
namespace {

constexpr size_t kMaxText = 4096;

std::mutex captureMutex;

}  // namespace

StderrCapture::StderrCapture() : lock_(captureMutex) {
    int ends[2] = {-1, -1};
    // Without blocking: a library that writes more than the pipe holds must not wait for us.
    if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
        return;
    }
    readEnd_.reset(ends[0]);
    const UniqueFd writeEnd(ends[1]);
    saved_.reset(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3));
    if (saved_) {
        ::dup3(writeEnd.get(), STDERR_FILENO, 0);
    }
}

StderrCapture::~StderrCapture() {
    restore();
}

void StderrCapture::restore() noexcept {
    if (saved_) {
        ::dup3(saved_.get(), STDERR_FILENO, 0);
        saved_.reset();
    }
}

std::string StderrCapture::finish() {
    restore();
    std::string text;
    std::array<char, 512> chunk;
    while (readEnd_ && text.size() < kMaxText) {
        const ssize_t got = ::read(readEnd_.get(), chunk.data(), chunk.size());
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            break;
        }
        text.append(chunk.data(), static_cast<size_t>(got));
    }
    text.resize(std::min(text.size(), kMaxText));
    return text;
}

}  // namespace larod::device::litert
