// SPDX-License-Identifier: Apache-2.0
// A directory for one test.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <stdexcept>
#include <string>

namespace larod::test {

// A directory that exists as long as the object.
class TempDir {
  public:
    TempDir() {
        if (::mkdtemp(path_.data()) == nullptr) {
            throw std::runtime_error("can't make a directory for the test");
        }
    }
    ~TempDir() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;
    [[nodiscard]] const std::string& path() const noexcept { return path_; }

  private:
    std::string path_ = "/tmp/larod-test-XXXXXX";
};

}  // namespace larod::test
