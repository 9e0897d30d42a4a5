// SPDX-License-Identifier: Apache-2.0
// What a service that is started meanwhile asks of the kernel.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "buffer/file_identity.h"
#include "support/temp_dir.h"
#include "system/recorder.h"

namespace larod::test {

class Recording {
  public:
    Recording();
    ~Recording();
    Recording(const Recording&) = delete;
    Recording& operator=(const Recording&) = delete;

    // The calls on dma-bufs and their like since the last take(): "START|READ input", by the names that files were
    // given, "MAP input" for a mapping; calls on files without a name are left out. A failed one ends in the errno's
    // name.
    [[nodiscard]] std::vector<std::string> take();

    // From now on the buffer has a name.
    void call(int fd, const std::string& name);

  private:
    TempDir directory_;
    recording* recording_;
    uint32_t taken_ = 0;
    std::vector<std::pair<buffer::FileIdentity, std::string>> names_;
};

}  // namespace larod::test
