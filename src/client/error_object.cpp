// SPDX-License-Identifier: Apache-2.0
#include "client/error_object.h"

#include <cerrno>
#include <new>
#include <string>

namespace larod::client {
namespace {

class ErrorObject final : public larodError {
  public:
    ErrorObject(int errorCode, std::string_view text)
        : larodError{static_cast<larodErrorCode>(errorCode), nullptr}, text_(text) {
        msg = text_.c_str();
    }
    ErrorObject(const ErrorObject&) = delete;
    ErrorObject& operator=(const ErrorObject&) = delete;

  private:
    std::string text_;
};

larodError outOfMemory = {static_cast<larodErrorCode>(ENOMEM), "out of memory"};

}  // namespace

larodError* makeError(int code, std::string_view text) noexcept {
    try {
        return new ErrorObject(code, text);
    } catch (const std::exception&) {
        return outOfMemoryError();
    }
}

larodError* outOfMemoryError() noexcept {
    return &outOfMemory;
}

void destroyError(larodError* error) noexcept {
    if (error != &outOfMemory) {
        delete static_cast<ErrorObject*>(error);
    }
}

}  // namespace larod::client
